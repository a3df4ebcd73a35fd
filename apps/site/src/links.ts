// Links between the texts work on GitHub; here they are turned to the pages of the site. A link to a file that is no page
// goes to the repository, and one to a file that does not exist is left, so that VitePress reports it.

import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { sourceAddress } from '@vastmax/package-tests/source-address';
import type { MarkdownRenderer } from 'vitepress';
import { placeOf, root } from './pages.ts';

const address = sourceAddress();

/**
 * @param target as it is written in the text
 * @param file the file of the text, relative to the root of the repository
 * @returns a path of the site that begins with `/`, an address of the repository, or the target itself
 */
export function siteLink(target: string, file: string): string {
  const isOfRepository = target.startsWith(address);
  if (/^(?:[a-z]+:|\/|#)/.test(target) && !isOfRepository) return target;
  const [path = '', anchor] = (isOfRepository ? target.slice(address.length) : target).split('#');
  // What a page includes of the README of the root has links from there.
  const candidates = isOfRepository
    ? [path]
    : [dirname(file), '.'].map((folder) => join(folder, decodeURIComponent(path)));
  const linked = candidates
    .map((candidate) => normalize(candidate).replaceAll(sep, '/').replace(/\/$/, ''))
    .find((candidate) => !candidate.startsWith('..') && existsSync(join(root, candidate)));
  if (linked === undefined) return target;
  const suffix = anchor === undefined ? '' : `#${anchor}`;
  if (linked === 'README.md' || linked === '.') return `/${suffix}`;
  if (linked === 'docs/decisions') return `/decisions.md${suffix}`;
  const isFolder = statSync(join(root, linked)).isDirectory();
  const place = placeOf(isFolder ? `${linked}/README.md` : linked);
  if (place !== undefined) return `/${place}${suffix}`;
  return `${isFolder ? address.replace('/blob/', '/tree/') : address}${linked}${suffix}`;
}

/** A plugin of markdown-it that turns the links of a page. */
export function turnLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('site-links', ({ tokens, env }) => {
    const file = fileOf(env as PageEnvironment);
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const target = token.attrGet('href');
      if (token.type === 'link_open' && target !== null) token.attrSet('href', siteLink(target, file));
    }
  });
}

/** What VitePress tells the plugins of markdown-it about a page; the search has no `realPath`. */
export interface PageEnvironment {
  readonly realPath?: string;
  /** Nothing for the title of a page, which is parsed alone. */
  readonly path?: string;
}

/** The file of a page, relative to the root of the repository. */
export function fileOf({ realPath, path }: PageEnvironment): string {
  return relative(root, realPath ?? path ?? root).replaceAll(sep, '/');
}
