/**
 * The runs of spherical-losses' exactness cases, each rank with its own part of every minibatch, against dense f64 SGD
 * on the whole. Parts are uneven and may be empty; duplicates of a class fall on several ranks.
 */
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import type { Communicator } from '@vastmax/collectives';
import { createDistributedFactoredLayer, type DistributedLayerCounters } from '@vastmax/distributed-layers';
import { createPlainBackend, read, write, type Precision } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { createBuiltInLoss } from '@vastmax/spherical-losses';
import {
  createBatches,
  DenseReference,
  relativeError,
  type ExactnessOptions,
  type ReferenceLoss,
} from '@vastmax/spherical-losses/testing';

export interface DistributedRun {
  readonly id: string;
  readonly options: ExactnessOptions;
  /** The plain one unless given. */
  readonly backend?: 'wasm';
}

export interface DistributedRunResult {
  readonly id: string;
  readonly weightError: number;
  readonly gradientError: number;
  readonly lossError: number;
  readonly movement: number;
  readonly counters: DistributedLayerCounters;
  /** Of the replicated matrices at the end. */
  readonly checksum: string;
}

/**
 * The examples of one rank: all whose number gives the rank when divided by the size, but that rank 0 takes the first
 * two.
 */
export function partOf(rank: number, size: number, examples: number): number[] {
  return Array.from({ length: examples }, (_, j) => j).filter((j) => (j < 2 ? 0 : j % size) === rank);
}

export function rowsOfTargets({ offsets, indices, values, columns }: CsrRows, examples: readonly number[]): CsrRows {
  const of = <Value>(list: ArrayLike<Value>, j: number): Value[] =>
    Array.from(list).slice(offsets[j]!, offsets[j + 1]!);
  return csrFromLists(
    examples.map((j) => of(indices, j)),
    columns,
    values === undefined ? undefined : examples.map((j) => of(values, j)),
  );
}

function lossOf(loss: ReferenceLoss): ReturnType<typeof createBuiltInLoss> {
  const { name, ...options } = loss;
  return createBuiltInLoss(name, options);
}

/** Where all runs begin. */
export function startOf({
  classes,
  width,
  initialScale,
  precision,
  seed = 1,
}: Pick<ExactnessOptions, 'classes' | 'width' | 'initialScale' | 'precision' | 'seed'>): Float64Array {
  const random = new RandomGenerator(seed);
  return Float64Array.from({ length: classes * width }, () => stored(initialScale * random.normal(), precision));
}

export async function runDistributed(
  communicator: Communicator,
  { id, options, backend: kind }: DistributedRun,
): Promise<DistributedRunResult> {
  const { classes, width, steps, learningRate, weightDecay = 0, batch, precision, loss } = options;
  const { rank, size } = communicator;
  const backend = kind === 'wasm' ? await createWasmBackend({ threads: 1 }) : createPlainBackend({ precision });
  const start = startOf(options);
  const dense = new DenseReference(start.slice(), width, loss);
  using layer = await createDistributedFactoredLayer(communicator, backend, {
    classes,
    features: width,
    bias: false,
    weightDecay,
    loss: lossOf(loss),
    checkEvery: 50,
    initialRows: (first, count) => start.subarray(first * width, (first + count) * width),
    onReplicaDrift: ({ step, ranks }) => {
      throw new Error(`${id}: the replicas of ranks ${ranks.join(', ')} differ at step ${step}`);
    },
  });
  const nextBatch = createBatches(options);
  const mine = partOf(rank, size, batch);
  using hidden = backend.createMatrix(mine.length, width);
  let gradientError = 0;
  let lossError = 0;
  for (let step = 0; step < steps; step++) {
    const { hidden: values, targets } = nextBatch();
    if (options.singularEvery !== undefined && step % options.singularEvery === 0) makeSingular(values, options);
    write(
      mine.flatMap((j) => Array.from(values.subarray(j * width, (j + 1) * width))),
      hidden,
    );
    const result = await layer.step(hidden, rowsOfTargets(targets, mine), { learningRate });
    const gradient = await read(result.hiddenGradient);
    const losses = await read(result.losses);
    const expected = dense.step(values, targets, learningRate, { weightDecay });
    const scale = Math.max(...Array.from(expected.hiddenGradient, Math.abs));
    mine.forEach((j, own) => {
      lossError = Math.max(
        lossError,
        Math.abs(losses[own]! - expected.losses[j]!) / Math.max(1, Math.abs(expected.losses[j]!)),
      );
      for (let i = 0; i < width; i++)
        gradientError = Math.max(
          gradientError,
          Math.abs(gradient[own * width + i]! - expected.hiddenGradient[j * width + i]!) / scale,
        );
    });
  }
  using weights = backend.createMatrix(classes, width);
  layer.denseRows(0, weights);
  const moved = Math.sqrt(
    dense.weights.reduce((sum, value, i) => sum + (value - start[i]!) ** 2, 0) /
      start.reduce((sum, value) => sum + value ** 2, 0),
  );
  return {
    id,
    weightError: relativeError(await read(weights), dense.weights),
    gradientError,
    lossError,
    movement: moved,
    counters: layer.counters,
    checksum: await checksumOf(layer),
  };
}

/** All replicated matrices, digit for digit. */
async function checksumOf(layer: Awaited<ReturnType<typeof createDistributedFactoredLayer>>): Promise<string> {
  const parts: string[] = [];
  for (const tensor of layer.state().tensors) {
    if (['rows', 'generations', 'class_constants'].includes(tensor.name) || tensor.name.startsWith('ladder.')) continue;
    const values = await tensor.read(0, tensor.rows);
    let hash = 0;
    for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      hash = (Math.imul(hash, 31) + byte) | 0;
    parts.push(`${tensor.name}:${hash}`);
  }
  return parts.join(' ');
}

function stored(value: number, precision: Precision): number {
  return precision === 'f32' ? Math.fround(value) : value;
}

/** Scale the one example so that 1 − 2η‖h‖² is 0: for the squared error U then has no inverse. */
function makeSingular(hidden: Float64Array, { learningRate, precision }: ExactnessOptions): void {
  const scale = Math.sqrt(1 / (2 * learningRate * hidden.reduce((sum, value) => sum + value ** 2, 0)));
  for (let i = 0; i < hidden.length; i++) hidden[i] = stored(hidden[i]! * scale, precision);
}
