// What a user of npm meets: a folder in which some packages are installed by npm from the tarballs of a packed project,
// and the examples of their READMEs as programs of it, in JavaScript and in TypeScript.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import ts from 'typescript';
import type { Example } from './readme-examples.ts';

/** Installs the packages, without a registry. @returns the project's folder, which the caller removes. */
export function createNpmProject(packedProject: string, names: readonly string[]): string {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'vastmax-npm-')));
  const tarballOf = (name: string): string => {
    const folder = join(packedProject, 'tarballs', name);
    return `file:${join(folder, readdirSync(folder)[0] ?? '')}`;
  };
  // What they depend on is not at the registry yet.
  const indirect = dependenciesOf(packedProject, names).filter((name) => !names.includes(name));
  const entries = (list: readonly string[]): object => Object.fromEntries(list.map((name) => [name, tarballOf(name)]));
  const manifest = { name: 'scratch', type: 'module', dependencies: entries(names), overrides: entries(indirect) };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...options], {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: 'pipe',
  });
  return project;
}

function dependenciesOf(packedProject: string, names: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const manifest = JSON.parse(readFileSync(join(packedProject, 'node_modules', name, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>;
    };
    for (const each of Object.keys(manifest.dependencies ?? {})) {
      if (found.has(each)) continue;
      found.add(each);
      visit(each);
    }
  };
  names.forEach(visit);
  return [...found];
}

/** A program in the project, and the oldest release line of Node that runs it. */
export interface ExampleProgram {
  readonly file: string;
  readonly oldestNode: number;
}

/**
 * The examples as people write them in JavaScript: as they stand, for Node 24, and without `using`, as the READMEs say
 * for older ones.
 */
export function writeJavaScript(project: string, examples: readonly Example[]): ExampleProgram[] {
  return examples.flatMap((example) => {
    const code = ts.transpile(example.code, {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    });
    const [asIs, disposing] = [
      programFile(project, example, 'as-is.js'),
      programFile(project, example, 'disposing.js'),
    ];
    writeFileSync(asIs, code);
    writeFileSync(disposing, withoutUsing(code));
    return [
      { file: asIs, oldestNode: /^using /m.test(code) ? 24 : 20 },
      { file: disposing, oldestNode: 20 },
    ];
  });
}

/** `using layer = …` as `const layer = …`, and `layer[Symbol.dispose]()` at the end, in reverse. */
function withoutUsing(code: string): string {
  const names = [...code.matchAll(/^using (\w+) =/gm)].map(([, name]) => name ?? '');
  const calls = names.reverse().map((name) => `${name}[Symbol.dispose]();\n`);
  return `${code.replace(/^using /gm, 'const ')}\n${calls.join('')}`;
}

/**
 * Compiles the examples in strict TypeScript, with all declarations checked and the libraries that a target brings by
 * itself. @returns the compiled programs, and the errors.
 */
export function compileTypeScript(
  project: string,
  examples: readonly Example[],
): { readonly programs: ExampleProgram[]; readonly errors: string[] } {
  const files = examples.map((example) => {
    const file = programFile(project, example, 'typed.ts');
    writeFileSync(file, example.code);
    return file;
  });
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: [],
  });
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  program.emit();
  return { programs: files.map((file) => ({ file: file.replace(/\.ts$/, '.js'), oldestNode: 20 })), errors };
}

function programFile(project: string, { markdown, line }: Example, ending: string): string {
  const folder = join(project, 'programs');
  mkdirSync(folder, { recursive: true });
  return join(folder, `${basename(join(markdown, '..'))}-${line}-${ending}`);
}
