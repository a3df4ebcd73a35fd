/**
 * docs/writing-a-backend.md shows a backend and its test file. Both are extracted, type-checked as a third party's
 * would be, and run.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');
const page = readFileSync(join(root, 'docs/writing-a-backend.md'), 'utf8');
// Ignored by git and by the globs of vitest and tsc; inside the package, so that imports resolve as for a user.
const directory = join(here, '.walk-through');

/** All blocks of one file of the page, one after another. */
function fileOf(name: string): string {
  const blocks = [...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, file, code]) => (file === name ? [code ?? ''] : [])).join('');
}

function typeErrors(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([...files], { ...options, isolatedDeclarations: false, noEmit: true });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    const line = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
    return `${diagnostic.file?.fileName ?? ''}:${line + 1}: ${text}`;
  });
}

const backendFile = join(directory, 'naive-backend.ts');
const testFile = join(directory, 'naive-backend.test.ts');
mkdirSync(directory, { recursive: true });
writeFileSync(backendFile, fileOf('naive-backend.ts'));
writeFileSync(testFile, fileOf('naive-backend.test.ts'));
// Registers the whole suite, as the shown file does in a project of its own.
await import(/* @vite-ignore */ testFile);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('docs/writing-a-backend.md', () => {
  it('shows a test file of at most ten lines', () => {
    const lines = fileOf('naive-backend.test.ts').trim().split('\n');
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.length).toBeLessThanOrEqual(10);
  });

  it('shows code that compiles, strictly', () => {
    expect(typeErrors([backendFile, testFile])).toEqual([]);
  });
});
