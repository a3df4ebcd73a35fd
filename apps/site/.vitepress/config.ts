import { anchorsOf } from '@vastmax/package-tests/anchors';
import { sourceAddress } from '@vastmax/package-tests/source-address';
import { defineConfig, type Plugin } from 'vitepress';
import { turnLinks } from '../src/links.ts';
import { createNavigation } from '../src/navigation.ts';
import { keepAngleBrackets } from '../src/reference.ts';
import { excluded, placeOf } from '../src/pages.ts';

/** Pages outside this package do not find Vue by themselves; the build renders them from a folder that does. */
const vueFromHere: Plugin = {
  name: 'vue-from-here',
  enforce: 'pre',
  resolveId: (source, _, { ssr }) =>
    ssr === true && /^vue(?:\/|$)/.test(source) ? { id: source, external: true } : null,
};

export default defineConfig({
  title: 'vastmax',
  description: 'Neural networks whose output layer has very many classes, trained exactly, in Node and the browser',
  lang: 'en',
  srcDir: '../..',
  outDir: 'dist',
  srcExclude: [...excluded],
  rewrites: (file) => {
    const place = placeOf(file);
    if (place === undefined) throw new Error(`${file}: no place on the site; give it one in apps/site/src/pages.ts`);
    return place;
  },
  // Links end in .html, so that any server of static files will do.
  cleanUrls: false,
  vite: {
    publicDir: 'apps/site/public',
    plugins: [vueFromHere],
  },
  markdown: {
    // The anchors that GitHub gives, to which the texts link.
    anchor: { slugify: (text) => [...anchorsOf([text])][0] ?? '' },
    config: (md) => {
      turnLinks(md);
      keepAngleBrackets(md);
    },
  },
  themeConfig: {
    ...createNavigation(),
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: sourceAddress().replace(/\/blob\/.*/, '') }],
  },
});
