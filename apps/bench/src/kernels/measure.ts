/**
 * `bench kernels`: what a backend's matrix product reaches, by shape and threads. The shapes are those of the factored
 * step (m·d·d and its transpose), of a language model's body and of a single example; 512³ is the ceiling that the
 * other benches refer to.
 */
import {
  type BackendInUse,
  type BackendName,
  backendNames,
  createBackend,
  type CreatedBackend,
  probeBackend,
} from '../measurement/backend-choice.ts';
import { copyTask, copyRate, gemmTask, gemmName, gflops, squareSize } from '../measurement/ceilings.ts';
import { timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { gemmFlops } from '../measurement/operation-counts.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';

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

export async function measureKernels(options: KernelsOptions, show: ShowStage): Promise<KernelsReport> {
  const { threads, plain, rounds, seconds, shapes = standardShapes } = options;
  const names = backendNames.filter((name) => plain || name !== 'plain');
  const unavailable: { backend: BackendName; reason: string }[] = [];
  const layers: CreatedBackend[] = [];
  for (const name of names) {
    const probe = await probeBackend(name);
    if (!probe.available) {
      unavailable.push({ backend: name, reason: probe.reason });
      continue;
    }
    for (const count of name === 'plain' ? [1] : threads) layers.push(await createBackend(name, count));
  }
  const products = layers.flatMap(({ backend, inUse }) =>
    shapes.map(([m, n, k]) => ({ inUse, m, n, k, task: gemmTask(backend, inUse, m, n, k) })),
  );
  const copy = copyTask();
  const timings = await timeInterleaved([...products.map(({ task }) => task), copy], {
    warmup: 3,
    rounds,
    seconds,
    onRound: (round) => {
      show('products', `round ${round} of ${rounds}`);
    },
  });
  for (const { backend } of layers) await backend.dispose();
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
    backends: layers.map(({ inUse }) => inUse),
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
