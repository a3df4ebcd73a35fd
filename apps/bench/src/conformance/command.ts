import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { BenchError } from '../measurement/bench-error.ts';
import { replaceSection } from '../reporting/marked-sections.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { backendsUnderTest } from './backends-under-test.ts';
import { checkBackends, type ConformanceOptions } from './measure.ts';
import { supportInFull, supportSummary } from './report.ts';

interface Options extends ConformanceOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly out: string | undefined;
}

/** The section of docs/backends.md. */
const sectionName = 'support';

export function addConformanceCommand(program: Command): void {
  program
    .command('conformance')
    .description('run the conformance suite on every backend, and say what each supports')
    .option('--json', 'print one JSON object with every case instead of tables', false)
    .option('--full', 'a row for each case instead of one for each kernel and rule', false)
    .option('--backends <list>', 'with commas between', parseBackends, backendsUnderTest)
    .option('--cases <text>', 'only cases with this text in their id')
    .option('-o, --out <folder>', 'also write the table into backends.md in this folder')
    .addHelpText(
      'after',
      `
Backends: ${backendsUnderTest.join(', ')}.
One that is not available is named with the reason, and is no failure. webgpu-dawn
takes the machine's GPU, or SwiftShader where there is none. webgpu-chromium runs
the built packages in a headless Chromium: run pnpm build before.

Takes about three minutes where the GPU is in software. Ends with exit code 1
when a case fails.

Examples:
  $ pnpm --silent bench conformance --out docs
  $ pnpm --silent bench conformance --backends plain-f32,wasm-f32 --cases gemm/ --full`,
    )
    .action(async ({ json, full, out, ...options }: Options) => {
      if (out !== undefined && (options.cases !== undefined || options.backends.length < backendsUnderTest.length)) {
        throw new BenchError(
          'bad-option',
          '--out writes the table of all backends and cases; leave out --backends and --cases, or --out',
        );
      }
      const { show, end } = stageProgress('conformance');
      const report = await checkBackends(options, show);
      end();
      if (out !== undefined) await writeDocument(join(out, 'backends.md'), supportSummary(report));
      printReport(report, json, full ? supportInFull : supportSummary);
      if (report.backends.some(({ status }) => status === 'failed')) process.exitCode = 1;
    });
}

function parseBackends(text: string): readonly string[] {
  const names = [...new Set(text.split(','))];
  const unknown = names.find((name) => !backendsUnderTest.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`'${unknown}' is none of ${backendsUnderTest.join(', ')}.`);
  return names;
}

async function writeDocument(path: string, content: string): Promise<void> {
  let document: string;
  try {
    document = await readFile(path, 'utf8');
  } catch (error) {
    throw new BenchError(
      'failed',
      `${path} could not be read (${(error as Error).message}); --out is the folder of backends.md`,
    );
  }
  await writeFile(path, replaceSection(document, sectionName, content));
}
