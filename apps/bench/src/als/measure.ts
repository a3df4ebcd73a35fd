/**
 * `bench als`: a sweep of alternating least squares over sets of skewed sizes, and the fold-in of all examples, beside
 * a product of the same backend.
 */
import type { Backend } from '@vastmax/linalg-core';
import { columnCounts, csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { fitAlternating } from '@vastmax/spherical-losses';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { gemmName, gemmTask, gflops } from '../measurement/ceilings.ts';
import { timeInterleaved, timingOf, type TimedTask } from '../measurement/interleaved-timing.ts';
import { gemmFlops } from '../measurement/operation-counts.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';

export interface AlsOptions {
  readonly examples: number;
  readonly classes: number;
  readonly entries: number;
  readonly features: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface AlsResult {
  readonly what: string;
  readonly milliseconds: Spread;
  /** GFLOP/s of the operations that are done. */
  readonly gflops: number;
  /** Over those of the product. */
  readonly share: number;
  /** Those of a d×d system for each row, over the time: what the usual way would have to reach. */
  readonly equivalentGflops: number;
  readonly equivalentShare: number;
}

export interface AlsReport {
  readonly bench: 'als';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly sizes: Pick<AlsOptions, 'examples' | 'classes' | 'features'> & { readonly entries: number };
  readonly gemm: { readonly milliseconds: Spread; readonly gflops: number };
  readonly results: readonly AlsResult[];
}

const gemmRows = 4096;

export async function measureAls(backend: Backend, inUse: BackendInUse, options: AlsOptions): Promise<AlsReport> {
  const { examples, classes, features, rounds, seconds } = options;
  const sets = randomSets(options);
  const lengths = Array.from({ length: examples }, (_, row) => sets.offsets[row + 1]! - sets.offsets[row]!);
  const counts = [...columnCounts(sets)];
  using fit = await fitAlternating(backend, sets, { features, epochs: 1 });
  const tasks: readonly (TimedTask & { readonly sides: readonly (readonly number[])[]; readonly bases: number })[] = [
    {
      name: 'a sweep',
      run: async () => {
        const swept = await fitAlternating(backend, sets, { features, epochs: 1 });
        swept[Symbol.dispose]();
      },
      sides: [counts, lengths],
      bases: examples + classes,
    },
    {
      name: 'fold-in of all examples',
      run: async () => {
        const hidden = await fit.foldIn(sets);
        hidden[Symbol.dispose]();
      },
      sides: [lengths],
      bases: 0,
    },
  ];
  const timings = await timeInterleaved([gemmTask(backend, inUse, gemmRows, features, features), ...tasks], {
    warmup: 1,
    rounds,
    seconds,
  });
  const product = timingOf(timings, gemmName(inUse, gemmRows, features, features));
  const ceiling = gflops(gemmFlops(gemmRows, features, features), product.median);
  return {
    bench: 'als',
    machine: describeMachine(),
    backend: inUse,
    sizes: { examples, classes, features, entries: sets.indices.length },
    gemm: { milliseconds: product, gflops: ceiling },
    results: tasks.map(({ name, sides, bases }) => {
      const milliseconds = timingOf(timings, name);
      const rows = sides.flat();
      const done = gflops(4 * bases * features ** 2 + sum(rows, operations(features)), milliseconds.median);
      const usual = gflops(bases * features ** 2 + sum(rows, usualOperations(features)), milliseconds.median);
      return {
        what: name,
        milliseconds,
        gflops: done,
        share: done / ceiling,
        equivalentGflops: usual,
        equivalentShare: usual / ceiling,
      };
    }),
  };
}

/** Of a row of n entries: half of XXᵀ, Cholesky, and three products with X; or the system in d unknowns, by LU. */
function operations(d: number): (n: number) => number {
  return (n) => (n <= d ? n * n * d + n ** 3 / 3 + 4 * n * d : 2 * n * d * d + (2 / 3) * d ** 3);
}

/** Half of Σvvᵀ and Cholesky. */
function usualOperations(d: number): (n: number) => number {
  return (n) => (n === 0 ? 0 : n * d * d + d ** 3 / 3);
}

function sum(values: readonly number[], of: (value: number) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

/** Sizes from half to a few times the mean, and classes the rarer the higher their number. */
function randomSets({ examples, classes, entries }: AlsOptions): CsrRows {
  const random = new RandomGenerator(1);
  const lists = Array.from({ length: examples }, () => {
    const count = Math.max(1, Math.round(entries * (0.5 - 0.5 * Math.log(1 - random.uniform()))));
    return [...new Set(Array.from({ length: count }, () => Math.floor(classes * random.uniform() ** 3)))];
  });
  return csrFromLists(lists, classes);
}
