// What the registry shows of each package.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMarkdown } from '../src/documents/markdown.ts';
import { manifestWithMetadata, publishedFolders, readManifest } from '../src/package-metadata.ts';
import { root } from '../src/published-packages.ts';

describe.each(publishedFolders())('%s', (folder) => {
  it('has the metadata of the repository; pnpm metadata copies it', () => {
    expect(JSON.stringify(readManifest(folder))).toBe(JSON.stringify(manifestWithMetadata(folder)));
  });

  it('has keywords of its own and a README', () => {
    expect(readManifest(folder).keywords?.length).toBeGreaterThan(readManifest('.').keywords?.length ?? 0);
    expect(existsSync(join(root, folder, 'README.md'))).toBe(true);
  });

  it('has no links in its README that leave the package, which lead nowhere on its page at the registry', () => {
    const { links } = parseMarkdown(readFileSync(join(root, folder, 'README.md'), 'utf8'));
    expect(links.filter(({ target }) => target.startsWith('../'))).toEqual([]);
  });
});
