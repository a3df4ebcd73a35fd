/**
 * `bench kernels`: what a backend's matrix product reaches, by shape and threads. The shapes are those of the factored
 * step (m·d·d and its transpose), of a language model's body and of a single example; 512³ is the ceiling that the
 * other benches refer to.
 */
import type { Command } from 'commander';
import {
  backendNames,
  createBackend,
  probeBackend,
  type BackendInUse,
  type BackendName,
  type CreatedBackend,
} from './measurement/backend-choice.ts';
import { copyCompetitor, copyRate, gemmCompetitor, gemmName, gflops, squareSize } from './measurement/ceilings.ts';
import { timeInterleaved, timingOf } from './measurement/interleaved-timing.ts';
import { gemmFlops } from './measurement/operation-counts.ts';
import type { Spread } from './measurement/statistics.ts';
import { printReport } from './report/bench-output.ts';
import { kernelsTables } from './report/kernels-tables.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { defaultThreadCounts, positive, threadCounts, wholeNumber } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';

type GemmShape = readonly [m: number, n: number, k: number];

export interface KernelsOptions {
  readonly threads: readonly number[];
  /** Also the plain backend, whose products are some fifty times slower. */
  readonly plain: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly shapes?: readonly GemmShape[];
}

interface KernelRow {
  readonly backend: BackendName;
  readonly threads: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly gflops: number;
  /** Milliseconds of one product. */
  readonly milliseconds: Spread;
}

export interface KernelsReport {
  readonly bench: 'kernels';
  readonly machine: Machine;
  readonly backends: readonly BackendInUse[];
  readonly unavailable: readonly { readonly backend: BackendName; readonly reason: string }[];
  readonly results: readonly KernelRow[];
  /** Of GFLOP/s at 512; null where one of the two was not measured. */
  readonly ratios: {
    readonly wasmOneThreadToOpenblasOneThread: number | null;
    readonly wasmTwoThreadsToOne: number | null;
    readonly openblasTwoThreadsToOne: number | null;
  };
  readonly copyGigabytesPerSecond: number;
}

const standardShapes: readonly GemmShape[] = [
  [128, 300, 300],
  [300, 300, 128],
  [512, 512, 512],
  [256, 3000, 500],
  [1, 300, 300],
];

interface Options extends KernelsOptions {
  readonly json: boolean;
}

export function addKernelsCommand(program: Command): void {
  program
    .command('kernels')
    .description('measure the matrix products of every backend: GFLOP/s by shape and threads')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--threads <list>', 'thread counts, with commas between', threadCounts, defaultThreadCounts())
    .option('--plain', 'measure the plain backend too; its products are some fifty times slower', false)
    .option('--rounds <count>', 'samples of each product', wholeNumber(3), 40)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
Every backend and thread count multiplies in turn, a sample each a round, so
that a disturbance falls on all of them. A backend that is missing here is
named with the reason, and its ratio is null.

ratios compare GFLOP/s at 512x512x512: wasmOneThreadToOpenblasOneThread,
wasmTwoThreadsToOne, openblasTwoThreadsToOne.

Example:
  $ pnpm --silent bench kernels --rounds 10 --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('kernels');
      const report = await measureKernels(options, show);
      end();
      printReport(report, json, kernelsTables);
    });
}

export async function measureKernels(options: KernelsOptions, show: ShowStage): Promise<KernelsReport> {
  const { threads, plain, rounds, seconds, shapes = standardShapes } = options;
  const names = backendNames.filter((name) => plain || name !== 'plain');
  const unavailable: { backend: BackendName; reason: string }[] = [];
  const contestants: CreatedBackend[] = [];
  for (const name of names) {
    const probe = await probeBackend(name);
    if (!probe.available) {
      unavailable.push({ backend: name, reason: probe.reason });
      continue;
    }
    for (const count of name === 'plain' ? [1] : threads) contestants.push(await createBackend(name, count));
  }
  const products = contestants.flatMap(({ backend, inUse }) =>
    shapes.map(([m, n, k]) => ({ inUse, m, n, k, competitor: gemmCompetitor(backend, inUse, m, n, k) })),
  );
  const copy = copyCompetitor();
  const timings = await timeInterleaved([...products.map(({ competitor }) => competitor), copy], {
    warmup: 3,
    rounds,
    seconds,
    onRound: (round) => {
      show('products', `round ${round} of ${rounds}`);
    },
  });
  for (const { backend } of contestants) await backend.dispose();
  const results = products.map(({ inUse, m, n, k }): KernelRow => {
    const milliseconds = timingOf(timings, gemmName(inUse, m, n, k));
    return {
      backend: inUse.name,
      threads: inUse.threads,
      m,
      n,
      k,
      gflops: gflops(gemmFlops(m, n, k), milliseconds.median),
      milliseconds,
    };
  });
  return {
    bench: 'kernels',
    machine: describeMachine(),
    backends: contestants.map(({ inUse }) => inUse),
    unavailable,
    results,
    ratios: ratiosOf(results),
    copyGigabytesPerSecond: copyRate(timingOf(timings, copy.name)),
  };
}

function ratiosOf(results: readonly KernelRow[]): KernelsReport['ratios'] {
  const rate = (backend: BackendName, threads: number): number | undefined =>
    results.find(
      (row) =>
        row.backend === backend &&
        row.threads === threads &&
        [row.m, row.n, row.k].every((size) => size === squareSize),
    )?.gflops;
  const ratio = (a: number | undefined, b: number | undefined): number | null =>
    a === undefined || b === undefined ? null : a / b;
  return {
    wasmOneThreadToOpenblasOneThread: ratio(rate('wasm', 1), rate('openblas', 1)),
    wasmTwoThreadsToOne: ratio(rate('wasm', 2), rate('wasm', 1)),
    openblasTwoThreadsToOne: ratio(rate('openblas', 2), rate('openblas', 1)),
  };
}
