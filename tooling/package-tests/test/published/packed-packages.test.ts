import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPackedProject, readInstalledPackage } from '../../src/packed-project.ts';
import { findPublishedPackages } from '../../src/published-packages.ts';
import { describePlace, readExamples, runNode } from '../../src/readme-examples.ts';

const packages = findPublishedPackages();
const named = packages.map((each) => [each.name, each] as const);
let project: string;

beforeAll(() => {
  project = createPackedProject(packages);
});
afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

/** Runs JavaScript inside the scratch project, as a script or as a vitest test file. */
function run(name: string, code: string, asTestFile: boolean): string | undefined {
  const file = join(project, 'runs', `${name}${asTestFile ? '.test' : ''}.js`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  return runNode(asTestFile ? [vitest, 'run', '--root', project, file] : [file], project, name);
}

describe.each(named)('the tarball of %s', (name, { folder, entryPoints }) => {
  it('holds what was built and nothing of the workspace', () => {
    const { files, manifest } = readInstalledPackage(project, name);
    expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE']));
    expect(files.filter((file) => !/^(?:dist\/.*|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file))).toEqual(
      [],
    );
    expect(manifest).not.toMatch(/@vastmax\/source|workspace:|catalog:|\.\/src\//);
  });

  it.each(entryPoints.map(({ specifier, needsVitest }) => [specifier, needsVitest] as const))(
    'offers %s',
    (specifier, needsVitest) => {
      const check = `import * as all from '${specifier}';\nif (Object.keys(all).length === 0) throw new Error('nothing is exported');\n`;
      const suite = `import { expect, it } from 'vitest';\n${check}it('loads', () => expect(all).toBeDefined());\n`;
      expect(
        run(`import ${specifier.replace(/[/@]/g, ' ').trim()}`, needsVitest ? suite : check, needsVitest),
      ).toBeUndefined();
    },
  );

  it('declares its types without the sources', () => {
    const file = join(project, `${name.replace('/', '-')}.ts`);
    writeFileSync(
      file,
      entryPoints.map(({ specifier }, index) => `export * as entry${index} from '${specifier}';\n`).join(''),
    );
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      // vitest's own declarations want more than the language; ours are held to it.
      skipLibCheck: entryPoints.some(({ needsVitest }) => needsVitest),
    });
    const diagnostics = ts.getPreEmitDiagnostics(program);
    expect(
      diagnostics.map(
        ({ file: at, messageText }) => `${at?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      ),
    ).toEqual([]);
  });

  it('runs the examples of the README', () => {
    const failures = readExamples(join(folder, 'README.md')).map((example) => {
      const code = ts.transpile(example.code, {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      });
      const failure = run(`${name.replace('/', '-')}-${example.line}`, code, example.isTestFile);
      return failure && `${describePlace(example)}\n${failure}`;
    });
    expect(failures.filter((failure) => failure !== undefined)).toEqual([]);
  });
});

it('multiplies matrices with the installed linalg-core', () => {
  const code = `
    import { createMatrixFrom, createPlainBackend, gemm, read } from '@vastmax/linalg-core';
    const backend = createPlainBackend();
    const a = createMatrixFrom(backend, 2, 2, [1, 2, 3, 4]);
    const out = backend.createMatrix(2, 2);
    gemm(a, a, out);
    const values = Array.from(await read(out)).join();
    if (values !== '7,10,15,22') throw new Error(values);
    await backend.dispose();
  `;
  expect(run('gemm', code, false)).toBeUndefined();
});
