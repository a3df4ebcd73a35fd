// Runs the ts blocks of a README as programs. A block is written to a file after as many empty lines as there are lines
// before it in the README, so that line numbers in type errors and stack traces are those of the README. A block that
// calls `describe…(` is a test file and runs under vitest; all others run as scripts.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { buildSync } from 'esbuild';
import ts from 'typescript';
import { root } from './published-packages.ts';

/** A fenced ts block. */
export interface Example {
  /** Absolute path of the Markdown file. */
  readonly markdown: string;
  /** Line of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  readonly isTestFile: boolean;
}

const require = createRequire(import.meta.url);

/** The place as an editor can open it: `packages/autodiff/README.md:12`. */
export function describePlace({ markdown, line }: Pick<Example, 'markdown' | 'line'>): string {
  return `${relative(root, markdown)}:${line}`;
}

/** Every block fenced as ts (or typescript) of one Markdown file. */
export function readExamples(markdown: string): Example[] {
  const text = readFileSync(markdown, 'utf8');
  return [...text.matchAll(/^```(?:ts|typescript)\b[^\n]*\n(.*?)^```\s*$/gms)].map((match) => {
    const code = match[1] ?? '';
    const line = text.slice(0, match.index).split('\n').length + 1;
    return { markdown, line, code, isTestFile: /^\s*describe\w*\s*\(/m.test(code) };
  });
}

/**
 * Empties a folder, from which the imports of the examples can be resolved, and writes the examples into it. @returns
 * the file of each.
 */
export function writeExamples(folder: string, examples: readonly Example[]): Map<Example, string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return new Map(
    examples.map((example) => {
      const base = relative(root, example.markdown).replace(/\.md$/, '').replace(/[/\\]/g, '-');
      const file = join(folder, `${base}-${example.line}${example.isTestFile ? '.test' : ''}.ts`);
      writeFileSync(file, '\n'.repeat(example.line - 1) + example.code);
      return [example, file] as const;
    }),
  );
}

/** Type errors of the written examples, each with file and line of the README; all examples are compiled together. */
export function typeCheckExamples(files: ReadonlyMap<Example, string>): Map<Example, string[]> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => readFileSync(path, 'utf8')) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      types: ['node'],
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      moduleDetection: 'force',
    },
    root,
  );
  const program = ts.createProgram([...files.values()], options);
  return new Map(
    [...files].map(([example, file]) => {
      const source = program.getSourceFile(file);
      const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      const errors = diagnostics.map(({ file: at, start, messageText }) => {
        const line =
          at === undefined || start === undefined ? example.line : at.getLineAndCharacterOfPosition(start).line + 1;
        return `${describePlace({ ...example, line })}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      });
      return [example, errors] as const;
    }),
  );
}

/**
 * Bundles the scripts among the written examples with the sources of the packages, `example.js` beside `example.ts`:
 * plain Node starts them several times as fast as tsx would. Bundled in one go, they share what they import.
 */
export function bundleExamples(files: ReadonlyMap<Example, string>): void {
  const scripts = [...files].filter(([{ isTestFile }]) => !isTestFile).map(([, file]) => file);
  const [first] = scripts;
  if (first === undefined) return;
  buildSync({
    entryPoints: scripts,
    outdir: dirname(first),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@vastmax/source'],
    // A native addon, which this package depends on for the bundles.
    external: ['koffi'],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    sourcemap: true,
    logLevel: 'silent',
  });
}

/**
 * Runs one written and bundled example with the sources, in a separate process and working folder.
 *
 * @returns undefined if it succeeded, otherwise its place in the README and its output.
 */
export function runExample(example: Example, file: string, workingFolder: string): string | undefined {
  const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
  const command = example.isTestFile
    ? [vitest, 'run', '--root', dirname(file), '--config', join(import.meta.dirname, 'readme-suite.config.ts'), file]
    : ['--enable-source-maps', file.replace(/\.ts$/, '.js')];
  return runNode(command, workingFolder, describePlace(example));
}

/** Runs Node until it ends. @returns undefined on success, otherwise a report that begins with `place`. */
export function runNode(
  command: readonly string[],
  workingFolder: string,
  place: string,
  executable: string = process.execPath,
): string | undefined {
  const { status, signal, stdout, stderr } = spawnSync(executable, command, {
    cwd: workingFolder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', VITEST: undefined },
  });
  return status === 0 ? undefined : `${place} ended with ${signal ?? `exit code ${status}`}\n${stdout}${stderr}`;
}
