// The default theme without its web fonts, with a style sheet, and a measured picture at the head of the first page.

import DefaultTheme from 'vitepress/theme-without-fonts';
import type { Theme } from 'vitepress';
import { h } from 'vue';
// @boundaries-ignore the picture lies once, beside the documents
import overview from '../../../../docs/plots/overview.svg';
import './style.css';

const picture = {
  src: overview,
  width: 699,
  height: 473,
  alt: 'Time of one training step against the number of classes: with vastmax it hardly changes from ten thousand to ten million, where every class is visited it grows a thousandfold',
};

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { 'home-hero-image': () => h('img', picture) }),
} satisfies Theme;
