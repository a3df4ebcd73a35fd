/** A small layer over all ranks, its minibatches, and its state as plain data that threads can hand to each other. */
import type { Communicator } from '@vastmax/collectives';
import {
  createDistributedFactoredLayer,
  type DistributedFactoredLayer,
  type DistributedFactoredLayerOptions,
} from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend, read, type Backend } from '@vastmax/linalg-core';
import { sphericalSoftmax, squaredError, type SphericalLoss } from '@vastmax/spherical-losses';
import { createBatches, type ExactnessOptions } from '@vastmax/spherical-losses/testing';
import { partOf, rowsOfTargets, startOf } from '../distributed-run.ts';
import type { JsonObject, ModuleState, TensorPrecision, TensorValues } from '@vastmax/linalg-core/state';

const sizes: ExactnessOptions = {
  loss: { name: 'squared-error', targetValue: 1 },
  precision: 'f64',
  classes: 61,
  width: 6,
  batch: 9,
  targets: 3,
  steps: 0,
  learningRate: 0.06,
  initialScale: 0.3,
};
export const { classes, width } = sizes;
const start = startOf(sizes);

/** Rebases every few steps, so that rows of old epochs are there. */
export const rebasingLoss = (): SphericalLoss => squaredError();
/** Has a constant for each class. */
export const constantsLoss = (): SphericalLoss =>
  sphericalSoftmax({ epsilon: Float64Array.from({ length: classes }, (_, k) => 0.2 + 3 / (k + 1)) });

export const layerOptions = (
  loss: SphericalLoss,
): Omit<DistributedFactoredLayerOptions, 'checkEvery' | 'onReplicaDrift'> => ({
  classes,
  features: width,
  bias: false,
  loss,
  initialRows: (first, count) => start.subarray(first * width, (first + count) * width),
});

export function createSmallLayer(
  communicator: Communicator,
  options: Partial<DistributedFactoredLayerOptions> = {},
  backend: Backend = createPlainBackend({ precision: 'f64' }),
): Promise<DistributedFactoredLayer> {
  return createDistributedFactoredLayer(communicator, backend, { ...layerOptions(rebasingLoss()), ...options });
}

type TrainedLayer = Pick<DistributedFactoredLayer, 'backend' | 'classes' | 'step'> & {
  readonly communicator?: Communicator;
};

/**
 * Training on the union of a stream of minibatches over the classes that there are now, of which each rank takes its
 * part.
 */
export function createTraining(layer: TrainedLayer, rate = sizes.learningRate): (steps: number) => Promise<void> {
  // A layer in one process takes all of it.
  const { rank, size } = layer.communicator ?? { rank: 0, size: 1 };
  const nextBatch = createBatches({ ...sizes, classes: layer.classes });
  return async (steps) => {
    for (let step = 0; step < steps; step++) {
      const { hidden, targets } = nextBatch();
      const mine = partOf(rank, size, sizes.batch);
      using own = createMatrixFrom(
        layer.backend,
        mine.length,
        width,
        mine.flatMap((j) => Array.from(hidden.subarray(j * width, (j + 1) * width))),
      );
      await layer.step(own, rowsOfTargets(targets, mine), { learningRate: rate });
    }
  };
}

export async function readWeights(
  layer: Pick<DistributedFactoredLayer, 'backend' | 'classes' | 'width' | 'denseRows'>,
): Promise<Float64Array> {
  using out = layer.backend.createMatrix(layer.classes, layer.width);
  layer.denseRows(0, out);
  return Float64Array.from(await read(out));
}

export interface PlainState {
  readonly configuration: JsonObject;
  readonly tensors: readonly {
    readonly name: string;
    readonly precision: TensorPrecision;
    readonly rows: number;
    readonly columns: number;
    readonly values: TensorValues;
  }[];
}

export async function plainState({ configuration, tensors }: ModuleState): Promise<PlainState> {
  const plain: PlainState['tensors'][number][] = [];
  for (const { name, precision, rows, columns, read: readRows } of tensors) {
    plain.push({ name, precision, rows, columns, values: (await readRows(0, rows)).slice(0, rows * columns) });
  }
  return { configuration, tensors: plain };
}

export function moduleState({ configuration, tensors }: PlainState): ModuleState {
  return {
    configuration,
    tensors: tensors.map(({ name, precision, rows, columns, values }) => ({
      name,
      precision,
      rows,
      columns,
      read: (first, count) => Promise.resolve(values.slice(first * columns, (first + count) * columns)),
    })),
  };
}
