/**
 * `bench ridge`: a ridge head over many labels, from minibatches to a layer that scores and trains, beside the two
 * products that it cannot do without: HᵀH of the features and VᵀV of the classes' sums.
 */
import {
  createMatrixFrom,
  gatherRows,
  gemm,
  Scope,
  symmetricRank2Update,
  viewRows,
  writeIndices,
  type Backend,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { fitRidge, type RidgeFit } from '@vastmax/spherical-losses';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { timeInterleaved, timingOf, type TimedTask } from '../measurement/interleaved-timing.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';

export interface RidgeOptions {
  readonly examples: number;
  readonly labels: number;
  readonly features: number;
  /** Labels of each example. */
  readonly targets: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface RidgeResult {
  readonly what: string;
  readonly milliseconds: Spread;
  /** Of the medians, over the two products by gemm. */
  readonly ratio: number;
}

export interface RidgeReport {
  readonly bench: 'ridge';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly sizes: Pick<RidgeOptions, 'examples' | 'labels' | 'features' | 'targets'>;
  readonly results: readonly RidgeResult[];
}

interface Minibatch {
  readonly hidden: Matrix;
  readonly targets: CsrRows;
}

const batchRows = 4096;
/** Of the worse conditioned features: the deviation of the last over that of the first. */
const smallestDeviation = 0.05;

export async function measureRidge(backend: Backend, inUse: BackendInUse, options: RidgeOptions): Promise<RidgeReport> {
  const { examples, labels, features, targets, rounds, seconds } = options;
  using scope = new Scope(backend);
  const batches = createMinibatches(scope, options, 1);
  const decaying = createMinibatches(scope, options, smallestDeviation);
  const sizes = { classes: labels, features };
  const rows = scope.table(labels, features);
  const gram = scope.matrix(features, features);
  const block = scope.matrix(batchRows, features);
  const fitted = async (data: readonly Minibatch[], use: (fit: RidgeFit) => Promise<void>): Promise<void> => {
    using fit = await fitRidge(backend, data, sizes);
    await use(fit);
  };
  const layerOf = async (data: readonly Minibatch[]): Promise<void> => {
    await fitted(data, async (fit) => {
      const layer = await fit.createLayer({ lambda: 1 });
      await backend.synchronize();
      layer[Symbol.dispose]();
    });
  };
  const products = 'the products HᵀH and VᵀV, by gemm';
  const timed: Readonly<Record<string, () => Promise<void>>> = {
    [products]: async () => {
      eachBlock(batches, rows, block, (each) => {
        gemm(each, each, gram, { transposeA: true });
      });
      await backend.synchronize();
    },
    'the same, as symmetric products': async () => {
      eachBlock(batches, rows, block, (each) => {
        symmetricRank2Update(each, each, gram, { alpha: 0.5 });
      });
      await backend.synchronize();
    },
    'one pass, and the layer': () => layerOf(batches),
    'ill-conditioned: one pass, and the layer': () => layerOf(decaying),
    'one pass, and λ by cross-validation': () =>
      fitted(batches, async (fit) => {
        await fit.chooseLambda();
      }),
  };
  const tasks = Object.entries(timed).map(([name, action]): TimedTask => ({ name, run: () => action() }));
  const timings = await timeInterleaved(tasks, { warmup: 1, rounds, seconds });
  const base = timingOf(timings, products).median;
  return {
    bench: 'ridge',
    machine: describeMachine(),
    backend: inUse,
    sizes: { examples, labels, features, targets },
    results: tasks.map(({ name }) => {
      const milliseconds = timingOf(timings, name);
      return { what: name, milliseconds, ratio: milliseconds.median / base };
    }),
  };
}

function eachBlock(batches: readonly Minibatch[], table: RowTable, block: Matrix, use: (rows: Matrix) => void): void {
  for (const { hidden } of batches) use(hidden);
  for (let first = 0; first < table.rows; first += batchRows) {
    const count = Math.min(batchRows, table.rows - first);
    using view = viewRows(table, first, count);
    if (view !== undefined) {
      use(view);
      continue;
    }
    using indices = table.backend.createIndices(count);
    writeIndices(
      Int32Array.from({ length: count }, (_, i) => first + i),
      indices,
      count,
    );
    gatherRows(table, indices, block.resize(count, table.columns));
    use(block);
  }
}

/** @param smallest deviation of the last feature; that of the first is 1. */
function createMinibatches(scope: Scope, options: RidgeOptions, smallest: number): readonly Minibatch[] {
  const { examples, labels, features, targets } = options;
  const random = new RandomGenerator(1);
  const deviations = Float64Array.from({ length: features }, (_, i) => smallest ** (i / Math.max(1, features - 1)));
  const batches: Minibatch[] = [];
  for (let first = 0; first < examples; first += batchRows) {
    const count = Math.min(batchRows, examples - first);
    const values = Float64Array.from(
      { length: count * features },
      (_, i) => deviations[i % features]! * random.normal(),
    );
    const lists = Array.from({ length: count }, () => Array.from({ length: targets }, () => random.integer(labels)));
    batches.push({
      hidden: scope.own(createMatrixFrom(scope.backend, count, features, values)),
      targets: csrFromLists(lists, labels),
    });
  }
  return batches;
}
