import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { allowedImports, createTurboTags } from '../src/allowed-imports.js';

const root = resolve(import.meta.dirname, '../../..');
const eslint = new ESLint({ cwd: root });

async function reports(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) });
  return (result?.messages ?? [])
    .filter(({ ruleId }) => ruleId === 'no-restricted-imports')
    .map(({ message }) => message);
}

const importing = (specifier: string): string => `export { x } from '${specifier}';\n`;

describe('a forbidden import is reported', () => {
  it.each([
    ['packages/linalg-core/src/gemm.ts', '@vastmax/sparse-data', 'linalg-core may import no other package'],
    ['packages/linalg-core/src/gemm.ts', '@vastmax/linalg-core', 'linalg-core may import no other package'],
    ['packages/sparse-data/src/rows.ts', '@vastmax/linalg-core', 'sparse-data may import no other package'],
    ['packages/autodiff/src/tape.ts', '@vastmax/lm-models', 'autodiff may import linalg-core'],
    ['packages/autodiff/src/tape.ts', '@vastmax/linalg-core-extras', 'autodiff may import linalg-core'],
    ['packages/output-layer/src/suite.ts', '@vastmax/autodiff', 'autodiff/testing'],
    ['packages/spherical-losses/src/layer.ts', '@vastmax/softmax-losses', 'spherical-losses may import'],
    ['packages/spherical-losses/src/layer.ts', '@vastmax/cpu-backend-wasm', 'spherical-losses may import'],
    ['packages/lm-models/src/trainer.ts', '@vastmax/cli', 'lm-models may import'],
    ['packages/linalg-core/test/gemm.test.ts', '@vastmax/autodiff', 'a test of linalg-core'],
    ['packages/brand-new/src/start.ts', '@vastmax/linalg-core', 'missing from the table'],
    ['packages/autodiff/src/tape.ts', '@vastmax/linalg-core/src/scope.ts', 'by its entry points'],
    ['packages/autodiff/src/tape.ts', '../../linalg-core/src/scope.ts', 'stays inside its package'],
    ['apps/cli/src/main.ts', '../../../packages/linalg-core/src/scope.ts', 'stays inside its package'],
    ['packages/autodiff/src/tape.ts', './index.ts', 'index.ts is the surface'],
    ['packages/autodiff/src/operations/dense.ts', '../index.ts', 'index.ts is the surface'],
    ['packages/autodiff/src/a/b/dense.ts', '../../index.ts', 'index.ts is the surface'],
    ['packages/autodiff/src/operations/dense.ts', '..', 'index.ts is the surface'],
  ])('%s importing %s', async (file, specifier, message) => {
    const messages = await reports(file, importing(specifier));
    expect(messages.join('\n')).toContain(message);
    expect(await reports(file, `import type { x } from '${specifier}';\nexport type Y = x;\n`)).toEqual(messages);
  });
});

describe('an allowed import is not', () => {
  it.each([
    ['packages/linalg-core/src/gemm.ts', './plain/gemm.ts'],
    ['packages/linalg-core/src/plain/gemm.ts', '../backend.ts'],
    ['packages/linalg-core/test/plain/gemm.test.ts', '../../src/index.ts'],
    ['packages/linalg-core/test/gemm.test.ts', '@vastmax/linalg-core'],
    ['packages/output-layer/src/suite.ts', '@vastmax/autodiff/testing'],
    ['packages/sparse-data/src/node.ts', 'node:fs'],
    ['packages/lm-models/src/trainer.ts', '@vastmax/sparse-data/node'],
    ['packages/lm-models/test/trainer.test.ts', '@vastmax/cpu-backend-wasm'],
    ['packages/cpu-backend-wasm/test/suite.test.ts', '@vastmax/backend-conformance'],
    ['apps/cli/src/main.ts', '@vastmax/cpu-backend-wasm'],
  ])('%s importing %s', async (file, specifier) => {
    expect(await reports(file, importing(specifier))).toEqual([]);
  });
});

describe('the table', () => {
  const folders = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'package.json')),
  );

  it('is the one that turbo boundaries reads', () => {
    const turbo = JSON.parse(readFileSync(join(root, 'turbo.json'), 'utf8')) as { boundaries: { tags: unknown } };
    expect(turbo.boundaries.tags, 'run pnpm boundaries:write').toEqual(createTurboTags());
  });

  it('has no cycle', () => {
    const visit = (name: string, path: readonly string[]): void => {
      expect(path, `${[...path, name].join(' → ')}`).not.toContain(name);
      for (const entry of allowedImports[name]?.src ?? []) visit(entry.replace(/\/.*/, ''), [...path, name]);
    };
    for (const name of Object.keys(allowedImports)) visit(name, []);
  });

  it.each(folders)('names %s, which carries its tag for turbo', (name) => {
    expect(Object.keys(allowedImports)).toContain(name);
    expect(JSON.parse(readFileSync(join(root, 'packages', name, 'turbo.json'), 'utf8'))).toMatchObject({
      tags: [name],
    });
  });
});
