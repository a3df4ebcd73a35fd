/**
 * `bench report`: every bench of docs/performance.md, each in a process of its own: a fresh engine, its own memory, no
 * threads left by another. What was measured is kept in a file, so a single run can be repeated without the others.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { probeBackend, type BackendName } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { jsonOf } from '../measurement/child-program.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { readMeasurements, writeMeasurements, type BenchReport, type Measurements } from './measurements.ts';

export interface RunsOptions {
  /** The file of measurements. */
  readonly store: string;
  /** Only runs with this text in their name. */
  readonly only: string | undefined;
  readonly quick: boolean;
}

export interface RunFailure {
  readonly run: string;
  readonly failure: string;
}

/** @returns all measurements of the file, those made now among them, and what failed. */
export async function measureRuns(
  { store, only, quick }: RunsOptions,
  show: ShowStage,
): Promise<{ readonly results: Measurements; readonly failures: readonly RunFailure[] }> {
  let results = await readMeasurements(store);
  const failures: RunFailure[] = [];
  const runs = reportRuns(await availableBackends(), quick).filter(
    ({ name }) => only === undefined || name.includes(only),
  );
  if (runs.length === 0)
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
  return { results, failures };
}

async function availableBackends(): Promise<readonly BackendName[]> {
  const backends: BackendName[] = [];
  for (const name of ['openblas', 'wasm'] as const) if ((await probeBackend(name)).available) backends.push(name);
  return backends;
}

export interface ReportRun {
  readonly name: string;
  /** Of the command line, without --json. */
  readonly args: readonly string[];
}

/** Small sizes and few rounds, to see that all of it works: the figures say nothing. */
const quick: Readonly<Record<BenchReport['bench'], readonly string[]>> = {
  kernels: ['--rounds', '3'],
  'output-layer': ['--classes', '20000', '--features', '64', '--dense-rows', '2048', '--rounds', '3'],
  scaling: ['--classes', '1000,10000,100000', '--features', '32', '--dense-rows', '1024', '--rounds', '3'],
  'steady-state': ['--classes', '5000', '--features', '32', '--steps', '50', '--warmup', '50'],
  training: ['--turns', '3'],
};

export function reportRuns(backends: readonly BackendName[], isQuick: boolean): readonly ReportRun[] {
  const cores = availableParallelism();
  const run = (name: string, bench: BenchReport['bench'], ...args: string[]): ReportRun => ({
    name,
    args: [bench, ...args, ...(isQuick ? quick[bench] : [])],
  });
  return [
    run('kernels', 'kernels'),
    ...backends.flatMap((backend) => [
      run(`output-layer ${backend}`, 'output-layer', '--backend', backend, '--profile'),
      ...(cores > 1
        ? [run(`output-layer ${backend}, all cores`, 'output-layer', '--backend', backend, '--threads', String(cores))]
        : []),
      run(`output-layer ${backend}, m = 1024`, 'output-layer', '--backend', backend, '--batch', '1024', '--profile'),
    ]),
    ...backends.map((backend) => run(`scaling ${backend}`, 'scaling', '--backend', backend)),
    ...backends.map((backend) => run(`steady-state ${backend}`, 'steady-state', '--backend', backend)),
    run('training', 'training'),
  ];
}

/** The report that the run printed, or why there is none. Its progress goes to stderr as it comes. */
function runBench({ args }: ReportRun): Promise<BenchReport | { readonly failure: string }> {
  return jsonOf(resolve(import.meta.dirname, '../main.ts'), [...args, '--json']);
}
