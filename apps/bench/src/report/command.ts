import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { describeMachine } from '../reporting/machine.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress, type ShowStage } from '../reporting/stage-progress.ts';
import { claimsOf } from './claims.ts';
import { measureRuns } from './measure.ts';
import { readMeasurements } from './measurements.ts';
import { readDocument, reportTable, writeDocument, writePlots, type WholeReport } from './report.ts';

interface Options {
  readonly json: boolean;
  readonly out: string;
  readonly only: string | undefined;
  readonly quick: boolean;
  readonly render: boolean;
}

export function addReportCommand(program: Command): void {
  program
    .command('report')
    .description('run every bench of docs/performance.md, and write its tables and plots')
    .option('--json', 'print one JSON object with all results instead of the table of claims', false)
    .option('-o, --out <folder>', 'the folder of performance.md', 'docs')
    .option('--only <text>', 'run only what has this text in its name, and keep the other results as they are')
    .option('--quick', 'tiny sizes, to see that everything works; the figures say nothing', false)
    .option('--render', 'run nothing: write tables and plots from the results that are there', false)
    .addHelpText(
      'after',
      `
Takes about twenty minutes and wants a quiet machine with 13 GB of free memory.
The results are kept in plots/measurements.json under --out.

Runs: kernels; for openblas and wasm, as far as they are available: output-layer
(m = 128 on one thread and on all cores, m = 1024), scaling, steady-state; training.

Examples:
  $ pnpm --silent bench report --json > report.json
  $ pnpm --silent bench report --only scaling
  $ pnpm --silent bench report --render`,
    )
    .action(async (options: Options) => {
      const { show, end } = stageProgress('report');
      const report = await createReport(options, show);
      end();
      printReport(report, options.json, reportTable);
      if (report.failures.length > 0) process.exitCode = 1;
    });
}

async function createReport({ out, only, quick, render }: Options, show: ShowStage): Promise<WholeReport> {
  const plots = resolve(out, 'plots');
  const document = resolve(out, 'performance.md');
  // Before the measurements, which take twenty minutes: a document that cannot be read fails at once.
  await readDocument(document);
  await mkdir(plots, { recursive: true });
  const store = join(plots, 'measurements.json');
  const { results, failures } = render
    ? { results: await readMeasurements(store), failures: [] }
    : await measureRuns({ store, only, quick }, show);
  const written = [store, ...(await writePlots(plots, results)), await writeDocument(document, results)];
  return {
    bench: 'report',
    machine: describeMachine(),
    claims: claimsOf(results),
    failures,
    written: written.map((path) => relative(process.cwd(), path)),
    results,
  };
}
