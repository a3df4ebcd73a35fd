/**
 * `bench report`: every bench of docs/performance.md, one process after the other, then its tables and plots. What was
 * measured is kept beside the plots, so a single run can be repeated and the document written anew without measuring.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { probeBackend, type BackendName } from './measurement/backend-choice.ts';
import { BenchError } from './measurement/bench-error.ts';
import { claimsOf, type Claim } from './report/claims.ts';
import { documentSections } from './report/document-sections.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { markdownTable } from './report/markdown-table.ts';
import { replaceSection } from './report/marked-sections.ts';
import { readMeasurements, writeMeasurements, type BenchReport, type Measurements } from './report/measurements.ts';
import { reportRuns, runBench } from './report/report-runs.ts';
import { printReport } from './report/bench-output.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';

interface Options {
  readonly json: boolean;
  readonly out: string;
  readonly only: string | undefined;
  readonly quick: boolean;
  readonly render: boolean;
}

interface WholeReport {
  readonly bench: 'report';
  readonly machine: Machine;
  readonly claims: readonly Claim[];
  readonly failures: readonly { readonly run: string; readonly failure: string }[];
  readonly written: readonly string[];
  readonly results: Measurements;
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
  // Before anything is measured: twenty minutes later it would be a pity.
  await readDocument(document);
  await mkdir(plots, { recursive: true });
  const store = join(plots, 'measurements.json');
  let results = await readMeasurements(store);
  const failures: { run: string; failure: string }[] = [];
  const runs = render ? [] : (await selectRuns(quick)).filter(({ name }) => only === undefined || name.includes(only));
  if (!render && runs.length === 0)
    throw new BenchError('bad-option', `--only '${only ?? ''}' is in no run's name; bench report --help lists them`);
  for (const [index, run] of runs.entries()) {
    show(run.name, `${index + 1} of ${runs.length}`);
    const outcome = await runBench(run);
    if ('failure' in outcome) {
      failures.push({ run: run.name, failure: outcome.failure });
      continue;
    }
    results = { ...results, [run.name]: outcome satisfies BenchReport };
    await writeMeasurements(store, results);
  }
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

async function selectRuns(quick: boolean): Promise<ReturnType<typeof reportRuns>> {
  const backends: BackendName[] = [];
  for (const name of ['openblas', 'wasm'] as const) if ((await probeBackend(name)).available) backends.push(name);
  return reportRuns(backends, quick);
}

async function writePlots(folder: string, results: Measurements): Promise<string[]> {
  // Vega takes a moment to load, and no other bench needs it.
  const { plotSpecifications } = await import('./report/plots.ts');
  const { renderSvg } = await import('./report/svg-plot.ts');
  const paths: string[] = [];
  for (const [name, specification] of plotSpecifications(results)) {
    const path = join(folder, `${name}.svg`);
    await writeFile(path, `${await renderSvg(specification)}\n`);
    paths.push(path);
  }
  return paths;
}

async function readDocument(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new BenchError(
      'failed',
      `${path} could not be read (${(error as Error).message}); --out is the folder of performance.md`,
    );
  }
}

async function writeDocument(path: string, results: Measurements): Promise<string> {
  let text = await readDocument(path);
  for (const [name, content] of documentSections(results)) text = replaceSection(text, name, content);
  await writeFile(path, text);
  return path;
}

function reportTable({ claims, failures, written }: WholeReport): string {
  return [
    markdownTable(
      ['claim', 'bound', 'measured', ''],
      claims.map(({ claim, bound, measured, isMet }) => [claim, bound, measured, isMet ? 'met' : 'not met']),
    ),
    ...failures.map(({ run, failure }) => `${run} failed: ${failure}; repeat it with --only '${run}'`),
    `written: ${written.join(', ')}`,
  ].join('\n\n');
}
