import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { findDocstringGaps } from '../src/docstring-gaps.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-docstrings-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, code: string): string {
  writeFileSync(join(folder, name), code);
  return join(folder, name);
}

write(
  'parts.ts',
  `/** Has one. */
export interface Told {}
export interface Untold {}
/** Of the first of two overloads. */
export function overloaded(a: number): void;
export function overloaded(a: string): void;
export function overloaded(): void {}
export const bare = 1;
export class Hidden {}
`,
);

it('finds the exports that have no docstring, wherever they are declared', () => {
  write('middle.ts', `export { bare as renamed } from './parts.ts';\n`);
  const entry = write(
    'index.ts',
    `import { overloaded } from './parts.ts';
export { type Told, type Untold as Other } from './parts.ts';
export { renamed } from './middle.ts';
export { elsewhere } from '@vastmax/another';
export { overloaded };
export type Own = number;
const notExported = 1;
`,
  );
  expect(findDocstringGaps([entry]).map((gap) => gap.replace(/^.*\//, ''))).toEqual([
    'parts.ts:3: Untold',
    'parts.ts:8: bare',
    'index.ts:6: Own',
  ]);
});

it('refuses entry points whose names it cannot see', () => {
  expect(() => findDocstringGaps([write('all.ts', `export * from './parts.ts';\n`)])).toThrow('name what they export');
  expect(() => findDocstringGaps([write('none.ts', `export { missing } from './parts.ts';\n`)])).toThrow(
    'where missing is declared was not found',
  );
});
