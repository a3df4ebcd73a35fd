// What pages show beside their Markdown: the programs of examples and links to the reference below their
// READMEs, and the list of decisions.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vitepress';
import { fileOf } from './links.ts';
import { findEntryPoints, namesIn, root, titleOf } from './pages.ts';

/** A plugin of Vite that adds to Markdown before VitePress reads it. */
export const completePages: Plugin = {
  name: 'complete-pages',
  enforce: 'pre',
  transform: (source, id) => (id.endsWith('.md') ? `${source}\n${additionTo(fileOf({ path: id }))}\n` : null),
};

function additionTo(file: string): string {
  if (file === 'apps/site/pages/decisions.md') {
    const decisions = namesIn('docs/decisions').map((name) => `docs/decisions/${name}`);
    return decisions.map((decision) => `- [${titleOf(decision)}](../../../${decision})`).join('\n');
  }
  const [, name] = /^packages\/([^/]+)\/README\.md$/.exec(file) ?? [];
  if (name !== undefined) {
    const own = findEntryPoints().filter((entry) => entry.name.replace(/\/.*/, '') === name);
    return `## Reference\n\n${own.map((entry) => `- [@vastmax/${entry.name}](/reference/${entry.name}.md)`).join('\n')}`;
  }
  if (!/^examples\/[^/]+\/README\.md$/.test(file)) return '';
  const folder = dirname(file);
  const programs = ['index.html', 'main.js', 'worker.js'].filter((name) => existsSync(join(root, folder, name)));
  return programs.map((name) => `## ${name}\n\n<<< @/${folder}/${name}`).join('\n\n');
}
