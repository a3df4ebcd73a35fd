// Which Markdown files of the repository are pages of the site, and where on the site each lies.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The root of the repository: the texts of the site lie all over it. */
export const root: string = resolve(import.meta.dirname, '../../..');

/** Where the reference is written before it becomes pages, relative to the root. */
export const referenceFolder = 'apps/site/generated/reference';

/** Files of the repository, and their place on the site; the first that fits counts. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^docs\/((?:decisions\/)?[^/]+\.md)$/, '$1'],
  [/^packages\/([^/]+)\/README\.md$/, 'packages/$1.md'],
  [/^examples\/README\.md$/, 'examples/index.md'],
  [/^examples\/([^/]+)\/README\.md$/, 'examples/$1.md'],
  [/^apps\/cli\/README\.md$/, 'command.md'],
  [/^apps\/bench\/README\.md$/, 'benchmarks.md'],
  [/^CONTRIBUTING\.md$/, 'contributing.md'],
  [/^apps\/site\/pages\/(.+\.md)$/, '$1'],
  [/^apps\/site\/generated\/(reference\/.+\.md)$/, '$1'],
];

/** Markdown that is no page, as patterns from the root; dot folders, `node_modules` and `dist` are left out anyway. */
export const excluded: readonly string[] = [
  '!(CONTRIBUTING).md',
  '{packages,examples}/*/!(README).md',
  '{packages,examples}/*/*/**',
  'apps/!(site|cli|bench)/**',
  'apps/{cli,bench}/!(README).md',
  'apps/{cli,bench}/*/**',
  'apps/site/*.md',
  'tooling/**',
  'models/**',
];

/** @returns the place of a file on the site, such as `packages/autodiff.md`, or undefined where it is no page */
export function placeOf(file: string): string | undefined {
  for (const [pattern, place] of places) if (pattern.test(file)) return file.replace(pattern, place);
  return undefined;
}

/** The text of the first heading of a file. */
export function titleOf(file: string): string {
  return /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? file;
}

/** The folders of packages/, or the files of docs/decisions/, in the order of their names. */
export function namesIn(folder: string): string[] {
  return readdirSync(join(root, folder)).sort();
}

/** Every entry point of every package: `lm-models/labels` for `@vastmax/lm-models/labels`, and its file from the root. */
export function findEntryPoints(): { readonly name: string; readonly file: string }[] {
  return namesIn('packages').flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
    };
    return Object.entries(exports).flatMap(([path, conditions]) => {
      const source = typeof conditions === 'string' ? undefined : conditions['@vastmax/source'];
      return source === undefined ? [] : [{ name: join(name, path), file: join('packages', name, source) }];
    });
  });
}
