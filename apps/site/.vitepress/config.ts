import { anchorsOf } from '@vastmax/package-tests/anchors';
import { defineConfig, type MarkdownRenderer, type Plugin } from 'vitepress';
import { completePages } from '../src/complete-pages.ts';
import { typesetFormulas } from '../src/formulas.ts';
import { fileOf, turnLinks, type PageEnvironment } from '../src/links.ts';
import { createNavigation } from '../src/navigation.ts';
import { excluded, placeOf, referenceFolder } from '../src/pages.ts';

/** Pages outside this package do not find Vue by themselves; the build renders them from a folder that does. */
const vueFromHere: Plugin = {
  name: 'vue-from-here',
  enforce: 'pre',
  resolveId: (source, _, { ssr }) =>
    ssr === true && /^vue(?:\/|$)/.test(source) ? { id: source, external: true } : null,
};

/** `<d` in a docstring is no tag; TypeDoc's own tags are anchors. */
function keepAngleBrackets(md: MarkdownRenderer): void {
  md.core.ruler.push('docstring-text', ({ tokens, env }) => {
    if (!fileOf(env as PageEnvironment).startsWith(referenceFolder)) return;
    for (const token of tokens.flatMap((block) => [block, ...(block.children ?? [])])) {
      if (/^html_/.test(token.type) && !/^<a id=|^<\/a>/.test(token.content)) token.type = 'text';
    }
  });
}

/** What the search uses of a MarkdownRenderer; VitePress declares the one that it passes by types of another release. */
interface Renderer {
  readonly options: { readonly highlight?: MarkdownRenderer['options']['highlight'] };
  set(options: { highlight: MarkdownRenderer['options']['highlight'] }): unknown;
  render(source: string, env: PageEnvironment): string;
}

/** Names and prose are found, not code: it is not coloured for the search, and of the reference not taken. */
function renderForSearch(source: string, env: PageEnvironment, md: Renderer): string {
  const { highlight } = md.options;
  md.set({ highlight: null });
  const html = md.render(source, env);
  md.set({ highlight: highlight ?? null });
  return fileOf(env).startsWith(referenceFolder) ? html.replace(/<pre[^]*?<\/pre>|<table[^]*?<\/table>/g, '') : html;
}

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
  transformHead: ({ siteData }) => [['link', { rel: 'icon', type: 'image/svg+xml', href: `${siteData.base}icon.svg` }]],
  // Links end in .html, so that any server of static files will do.
  cleanUrls: false,
  vite: {
    publicDir: 'apps/site/public',
    plugins: [vueFromHere, completePages],
    // The index of the search is the one large chunk; it is loaded when somebody searches.
    build: { chunkSizeWarningLimit: 4096 },
  },
  markdown: {
    // The anchors that GitHub gives, to which the texts link.
    anchor: { slugify: (text) => [...anchorsOf([text])][0] ?? '' },
    config: (md) => {
      turnLinks(md);
      keepAngleBrackets(md);
      typesetFormulas(md);
    },
  },
  themeConfig: {
    ...createNavigation(),
    outline: [2, 3],
    search: { provider: 'local', options: { _render: renderForSearch } },
  },
});
