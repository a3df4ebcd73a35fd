import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNode, namedNodes } from '../../src/find-nodes.ts';
import { compileTypeScript, createNpmProject, writeJavaScript, type ExampleProgram } from '../../src/npm-project.ts';
import { createPackedProject, packedFiles, readInstalledPackage } from '../../src/packed-project.ts';
import { findPublishedPackages, root } from '../../src/published-packages.ts';
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

/** Whether a file belongs into a tarball: documents and what was built, without tests. */
const isPublished = (file: string): boolean =>
  /^(?:dist\/.*|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file) &&
  !/\.test\.|snapshot|fixtures/.test(file);

interface DeclarationError {
  readonly file: string;
  readonly message: string;
}
let declarationErrors: DeclarationError[] | undefined;

/** Type errors in what the packages declare, for users whose settings are strict. One program: most time goes into libs. */
function checkDeclarations(list: typeof packages): DeclarationError[] {
  const specifiers = list.flatMap(({ entryPoints }) => entryPoints.map(({ specifier }) => specifier));
  const file = join(project, `declarations-of-${specifiers.length}.ts`);
  writeFileSync(file, specifiers.map((specifier, i) => `export * as entry${i} from '${specifier}';\n`).join(''));
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    // The libraries that this brings by itself know nothing of Disposable; the declarations name what they need.
    target: ts.ScriptTarget.ES2022,
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipDefaultLibCheck: true,
  });
  return program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === file || fileName.includes('/@vastmax/'))
    .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)])
    .map(({ file: at, messageText }) => ({
      file: at?.fileName ?? '',
      message: ts.flattenDiagnosticMessageText(messageText, '\n'),
    }));
}

describe.each(named)('the tarball of %s', (name, { folder, entryPoints }) => {
  it('holds what was built and nothing of the workspace', () => {
    const { files, manifest } = readInstalledPackage(project, name);
    const changes = existsSync(join(folder, 'CHANGELOG.md')) ? ['CHANGELOG.md'] : [];
    expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', ...changes]));
    expect(files.filter((file) => !isPublished(file))).toEqual([]);
    expect(manifest).not.toMatch(/@vastmax\/source|workspace:|catalog:|\.\/src\//);
  });

  it('has source maps that hold the sources', () => {
    const { files } = readInstalledPackage(project, name);
    const programs = files.filter((file) => /^dist\/[^/]*\.js$/.test(file));
    expect(programs).not.toEqual([]);
    for (const file of programs) {
      const path = join(project, 'node_modules', name, file);
      // What only passes on the exports of others, or comes from the compiler, has no source.
      const code = readFileSync(path, 'utf8');
      if (/^(?:(?:import|export) .*\s*)*$/.test(code) || code.startsWith('//#region \\0')) continue;
      const map = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as Record<'sources' | 'sourcesContent', unknown[]>;
      expect(map.sourcesContent, file).toHaveLength(map.sources.length);
    }
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
    declarationErrors ??= [true, false].flatMap((needVitest) =>
      checkDeclarations(packages.filter((each) => each.entryPoints.some((entry) => entry.needsVitest) === needVitest)),
    );
    const installed = join(project, 'node_modules', name, '/');
    expect(declarationErrors.filter(({ file }) => file.startsWith(installed))).toEqual([]);
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

it('the tarball of the command holds what was built, with source maps, and nothing else', () => {
  const files = packedFiles(join(root, 'apps/cli'));
  expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/main.js']));
  expect(files.filter((file) => !isPublished(file))).toEqual([]);
  expect(files).toContain('dist/main.js.map');
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

it('works in an engine without the symbols of `using`', () => {
  const code = `
    const OldSymbol = Object.assign((description) => Symbol(description), { prototype: Symbol.prototype });
    for (const key of Reflect.ownKeys(Symbol))
      if (!/^(?:dispose|asyncDispose|length|name|prototype)$/.test(key)) OldSymbol[key] = Symbol[key];
    globalThis.Symbol = OldSymbol;
    if (Symbol.dispose !== undefined) throw new Error('this engine still has Symbol.dispose');
    const { createMatrixFrom, createPlainBackend } = await import('@vastmax/linalg-core');
    const { openCheckpoint, createMemoryStorage, writeCheckpoint } = await import('@vastmax/checkpoints');
    const matrix = createMatrixFrom(createPlainBackend(), 1, 1, [1]);
    matrix[Symbol.dispose]();
    if (!matrix.disposed || typeof Symbol.dispose !== 'symbol') throw new Error('not disposed');
    const storage = createMemoryStorage();
    await writeCheckpoint(storage, { configuration: {}, modules: {} });
    await (await openCheckpoint(storage))[Symbol.asyncDispose]();
  `;
  expect(run('without-dispose', code, false)).toBeUndefined();
});

describe('three packages that npm has installed', () => {
  const names = ['linalg-core', 'sparse-data', 'spherical-losses'];
  // The first example of each README. It needs no types of Node, which would bring those of Disposable.
  const examples = names.flatMap((name) => {
    const { folder } = packages.find((each) => each.name === `@vastmax/${name}`) ?? expect.fail(`no package ${name}`);
    return readExamples(join(folder, 'README.md')).slice(0, 1);
  });
  let npmProject: string;
  let inJavaScript: ExampleProgram[];
  let inTypeScript: ReturnType<typeof compileTypeScript>;

  beforeAll(() => {
    npmProject = createNpmProject(
      project,
      names.map((name) => `@vastmax/${name}`),
    );
    inJavaScript = writeJavaScript(npmProject, examples);
    inTypeScript = compileTypeScript(npmProject, examples);
  });
  afterAll(() => {
    rmSync(npmProject, { recursive: true, force: true });
  });

  it('compile in strict TypeScript with skipLibCheck: false and the default lib', () => {
    expect(inTypeScript.errors).toEqual([]);
  });

  describe.each(namedNodes())('with Node %d', (major) => {
    const runAll = (programs: readonly ExampleProgram[], skip: (reason: string) => never): void => {
      const found = findNode(major);
      if ('missing' in found) return skip(found.missing);
      const runnable = programs.filter(({ oldestNode }) => oldestNode <= major);
      expect(runnable.length).toBeGreaterThanOrEqual(examples.length);
      const failures = runnable.map(({ file }) => runNode([file], npmProject, file, found.executable));
      expect(failures.filter((failure) => failure !== undefined)).toEqual([]);
    };

    it('run the examples in JavaScript', ({ skip }) => {
      runAll(inJavaScript, skip);
    });
    it('run the examples in TypeScript', ({ skip }) => {
      runAll(inTypeScript.programs, skip);
    });
  });
});
