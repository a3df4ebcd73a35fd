/** Small layers and their dense twins, trained side by side, for tests that then do something to the layer. */
import { createPlainBackend, read, write, type Precision } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import {
  createBuiltInLoss,
  createFactoredOutputLayer,
  type FactoredOutputLayer,
  type UpdateForm,
} from '@vastmax/spherical-losses';
import {
  createBatches,
  DenseReference,
  relativeError,
  type ExactnessOptions,
  type ReferenceLoss,
} from '@vastmax/spherical-losses/testing';
import { readWeights } from './layer-subjects.ts';

export interface TwinOptions {
  readonly loss: ReferenceLoss;
  readonly precision?: Precision;
  readonly classes?: number;
  readonly width?: number;
  readonly batch?: number;
  readonly learningRate: number;
  readonly weightDecay?: number;
  readonly form?: UpdateForm;
  readonly seed?: number;
}

/** Squared error that rebases every few steps in f32, so that rows of old epochs are there all the time. */
export const staleRows: TwinOptions = {
  loss: { name: 'squared-error', targetValue: 1 },
  precision: 'f32',
  learningRate: 0.08,
};

export class TwinRun implements Disposable {
  readonly layer: FactoredOutputLayer;
  dense: DenseReference;
  readonly #options: TwinOptions;
  #nextBatch: ReturnType<typeof createBatches>;

  constructor(layer: FactoredOutputLayer, dense: DenseReference, options: TwinOptions) {
    this.layer = layer;
    this.dense = dense;
    this.#options = options;
    this.#nextBatch = createBatches(batchOptions(options));
  }

  /** Targets from more classes, from now on. */
  widenTo(classes: number): void {
    this.#nextBatch = createBatches(batchOptions({ ...this.#options, classes, seed: 77 }));
  }

  /** @returns the largest relative error of a hidden gradient. */
  async train(steps: number): Promise<number> {
    const { learningRate, weightDecay = 0, batch = 6 } = this.#options;
    let error = 0;
    using hidden = this.layer.backend.createMatrix(batch, this.layer.width);
    for (let step = 0; step < steps; step++) {
      const minibatch = this.#nextBatch();
      write(minibatch.hidden, hidden);
      const { hiddenGradient } = await this.layer.step(hidden, minibatch.targets, { learningRate });
      const expected = this.dense.step(minibatch.hidden, minibatch.targets, learningRate, { weightDecay });
      error = Math.max(error, relativeError(await read(hiddenGradient), expected.hiddenGradient));
    }
    return error;
  }

  async weightError(): Promise<number> {
    return relativeError(await readWeights(this.layer), this.dense.weights);
  }

  [Symbol.dispose](): void {
    this.layer[Symbol.dispose]();
  }
}

export async function createTwinRun(options: TwinOptions): Promise<TwinRun> {
  const { loss, precision = 'f64', classes = 150, width = 8, weightDecay = 0, form, seed = 1 } = options;
  const { name, ...lossOptions } = loss;
  const random = new RandomGenerator(seed);
  const start = Float64Array.from({ length: classes * width }, () => Math.fround(0.3 * random.normal()));
  const layer = await createFactoredOutputLayer(createPlainBackend({ precision }), {
    classes,
    features: width,
    bias: false,
    loss: createBuiltInLoss(name, lossOptions),
    weightDecay,
    initialRows: (first, count) => start.subarray(first * width, (first + count) * width),
    ...(form === undefined ? {} : { form }),
  });
  return new TwinRun(layer, new DenseReference(start, width, loss), options);
}

function batchOptions({
  loss,
  precision = 'f64',
  classes = 150,
  width = 8,
  batch = 6,
  learningRate,
  seed = 1,
}: TwinOptions): ExactnessOptions {
  return { loss, precision, classes, width, batch, targets: 3, steps: 0, learningRate, initialScale: 0.3, seed };
}
