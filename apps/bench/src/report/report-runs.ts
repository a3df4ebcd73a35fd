/**
 * What `bench report` runs, each in a process of its own: a fresh engine, its own memory, no threads left by another.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { BackendName } from '../measurement/backend-choice.ts';
import { jsonOf } from './child-program.ts';
import type { BenchReport } from './measurements.ts';

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
export function runBench({ args }: ReportRun): Promise<BenchReport | { readonly failure: string }> {
  return jsonOf(resolve(import.meta.dirname, '../main.ts'), [...args, '--json']);
}
