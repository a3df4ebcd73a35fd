/**
 * Classes are added in mid-training; what the layer says of all of them, on every rank for activations of that rank's
 * own.
 */
import type { Communicator } from '@vastmax/collectives';
import { mergeShards, type DistributedFactoredLayer } from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend, read, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import {
  createBuiltInLoss,
  sphericalSoftmax,
  type FactoredOutputLayer,
  type SphericalLoss,
} from '@vastmax/spherical-losses';
import {
  classes,
  createSmallLayer,
  createTraining,
  layerOptions,
  moduleState,
  plainState,
  readWeights,
  width,
  type PlainState,
} from './small-layer.ts';

export const added = 40;
const random = new RandomGenerator(5);
const addedRows = Float64Array.from({ length: added * width }, () => 0.3 * random.normal());
const prior = Float64Array.from({ length: classes + added }, (_, k) => 0.2 + 3 / (k + 1));

export type GrowingLoss = 'z-loss' | 'spherical-softmax' | 'taylor-softmax' | 'squared-error' | 'prior';

/** At the squared error's rate the layer rebases every few steps. */
const rates: Readonly<Record<GrowingLoss, number>> = {
  'z-loss': 0.05,
  'spherical-softmax': 0.003,
  'taylor-softmax': 0.007,
  'squared-error': 0.13,
  prior: 0.002,
};

export function growingLoss(loss: GrowingLoss, count: number): SphericalLoss {
  return loss === 'prior' ? sphericalSoftmax({ epsilon: prior.subarray(0, count) }) : createBuiltInLoss(loss);
}

type GrowingLayer = Pick<FactoredOutputLayer, 'addClasses' | 'backend' | 'classes' | 'step'> & {
  readonly communicator?: Communicator;
};

/** Two classes first, so that of three ranks one has none, and 5 more after a step. */
export async function growFromTwo(layer: GrowingLayer): Promise<void> {
  await createTraining(layer, 0.01)(1);
  layer.addClasses(addedRows.subarray(0, 5 * width));
  await createTraining(layer, 0.01)(5);
}

/** 30 steps, 40 classes more, 30 steps over all. */
export async function trainAndGrow(layer: GrowingLayer, loss: GrowingLoss): Promise<void> {
  await createTraining(layer, rates[loss])(30);
  layer.addClasses(addedRows, loss === 'prior' ? prior.subarray(classes) : undefined);
  await trainOn(layer, loss);
}

/** 30 steps over all classes. */
export function trainOn(layer: GrowingLayer, loss: GrowingLoss): Promise<void> {
  return createTraining(layer, rates[loss])(30);
}

export interface GrowthRequest {
  readonly loss: GrowingLoss;
  /** Shards of a layer that has grown and was trained, to be trained on. */
  readonly from?: readonly PlainState[];
}

export interface GrowthAnswer {
  readonly weights: Float64Array;
  readonly state: PlainState;
  readonly rebases: number;
  /** Of C, w̄ and U⁻¹. */
  readonly drift: number;
  readonly hidden: Float64Array;
  readonly wanted: Int32Array;
  /** Of the wanted classes, of all, and of the last 50; empty for a loss without. */
  readonly ofClasses: Float64Array;
  readonly ofAll: Float64Array;
  readonly ofLast: Float64Array;
}

export async function growth(communicator: Communicator, { loss, from }: GrowthRequest): Promise<GrowthAnswer> {
  const whole = classes + added;
  const grown = from === undefined ? classes : whole;
  // What is taken over brings its rows and constants.
  const start =
    from === undefined
      ? growingLoss(loss, classes)
      : loss === 'prior'
        ? sphericalSoftmax({ epsilon: new Float64Array(whole).fill(1) })
        : growingLoss(loss, whole);
  const { rank, size } = communicator;
  using layer = await createSmallLayer(communicator, {
    ...layerOptions(start),
    classes: grown,
    ...(from === undefined ? {} : { initialRows: () => new Float64Array(width) }),
  });
  if (from === undefined) await trainAndGrow(layer, loss);
  else {
    const shards = from.map(moduleState);
    const own = shards[rank];
    await layer.restore(shards.length === size && own !== undefined ? own : mergeShards(shards));
    await trainOn(layer, loss);
  }
  const { gramDrift, columnSumDrift, inverseDrift } = await layer.verify();
  const { hidden, wanted } = examplesOf(communicator);
  const logs = layer.isNormalized
    ? await logsOf(layer, hidden, wanted)
    : { ofClasses: new Float64Array(0), ofAll: new Float64Array(0), ofLast: new Float64Array(0) };
  return {
    weights: await readWeights(layer),
    state: await plainState(layer.state()),
    rebases: layer.counters.rebases,
    drift: Math.max(gramDrift, columnSumDrift, inverseDrift),
    hidden,
    wanted,
    ...logs,
  };
}

/** The last rank of several has none. */
function examplesOf({ rank, size }: Communicator): { hidden: Float64Array; wanted: Int32Array } {
  const own = new RandomGenerator(50 + rank);
  const m = size > 1 && rank === size - 1 ? 0 : 3 + rank;
  return {
    hidden: Float64Array.from({ length: m * width }, () => own.normal()),
    wanted: Int32Array.from({ length: m }, (_, j) => (j === 0 ? classes + 2 : own.integer(classes + added))),
  };
}

async function logsOf(
  layer: DistributedFactoredLayer,
  values: Float64Array,
  wanted: Int32Array,
): Promise<Pick<GrowthAnswer, 'ofClasses' | 'ofAll' | 'ofLast'>> {
  const m = wanted.length;
  using hidden = createMatrixFrom(layer.backend, m, width, values);
  using column = layer.backend.createMatrix(m, 1);
  await layer.classLogProbabilities(hidden, wanted, column);
  using all = layer.backend.createMatrix(m, layer.classes);
  await layer.logProbabilities(hidden, 0, all);
  using last = layer.backend.createMatrix(m, 50);
  await layer.logProbabilities(hidden, layer.classes - 50, last);
  const [ofClasses, ofAll, ofLast] = await Promise.all([read(column), read(all), read(last)]);
  return {
    ofClasses: Float64Array.from(ofClasses),
    ofAll: Float64Array.from(ofAll),
    ofLast: Float64Array.from(ofLast),
  };
}

/** The weights, and the drift of what is tracked. */
export async function fewClasses(communicator: Communicator): Promise<Pick<GrowthAnswer, 'weights' | 'drift'>> {
  using layer = await createSmallLayer(communicator, { loss: growingLoss('squared-error', 2), classes: 2 });
  await growFromTwo(layer);
  const { gramDrift, columnSumDrift, inverseDrift } = await layer.verify();
  return { weights: await readWeights(layer), drift: Math.max(gramDrift, columnSumDrift, inverseDrift) };
}

export interface LateAnswer {
  readonly late: Float64Array;
  readonly present: Float64Array;
  readonly refusal: string;
}

/**
 * The log-probabilities of a backend that gives its numbers later, as a device does, beside those of one in host
 * memory.
 */
export async function lateReads(communicator: Communicator): Promise<LateAnswer> {
  const backend = createPlainBackend({ precision: 'f64' });
  const readAtOnce = backend.readSync?.bind(backend);
  const slow = Object.assign(backend, {
    readSync: undefined,
    read: async (source: Matrix, out: FloatArray): Promise<void> => {
      await Promise.resolve();
      readAtOnce?.(source, out);
    },
  });
  using late = await createSmallLayer(communicator, { loss: growingLoss('taylor-softmax', classes) }, slow);
  using present = await createSmallLayer(communicator, { loss: growingLoss('taylor-softmax', classes) });
  for (const layer of [late, present]) await createTraining(layer, rates['taylor-softmax'])(5);
  const { hidden, wanted } = examplesOf(communicator);
  const known = wanted.map((one) => one % classes);
  using out = slow.createMatrix(1, classes);
  let refusal = '';
  try {
    late.scores(slow.createMatrix(1, width), 0, out);
  } catch (error) {
    refusal = error instanceof Error ? error.message : '';
  }
  return {
    late: (await logsOf(late, hidden, known)).ofAll,
    present: (await logsOf(present, hidden, known)).ofAll,
    refusal,
  };
}
