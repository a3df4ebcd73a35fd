/**
 * Factored against dense: the same data, the same rate, step by step. Dense SGD can be chaotic by itself (a spherical
 * softmax at a large rate doubles a rounding error every twenty steps), so a third run, dense with the initial weights
 * changed by one unit in the last place, shows an accuracy that no implementation could exceed (mathematics.md §3).
 */
import { createPlainBackend, read, type Backend, type Precision, write } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { createFactoredOutputLayer } from '../factored/factored-output-layer.ts';
import type { FactoredLayerCounters, UpdateForm } from '../factored/layer-options.ts';
import type { Verification } from '../factored/gram-matrix.ts';
import type { PreconditionerOptions } from '../factored/preconditioner.ts';
import { createBuiltInLoss } from '../losses/built-in-losses.ts';
import { DensePreconditioner } from './dense-preconditioner.ts';
import { DenseReference, type ReferenceLoss } from './dense-reference.ts';

/** Loss, sizes, steps and rate of a comparison with dense SGD. */
export interface ExactnessOptions {
  readonly loss: ReferenceLoss;
  readonly precision: Precision;
  /** Another backend of that precision instead of the plain one. */
  readonly backend?: Backend;
  readonly classes: number;
  readonly width: number;
  readonly batch: number;
  /** Targets of each example; `ragged` draws 0 to 5, weighted. */
  readonly targets: number | 'ragged';
  readonly steps: number;
  readonly learningRate: number;
  readonly initialScale: number;
  readonly weightDecay?: number;
  /** See FactoredOutputLayerOptions; the features then have different scales. */
  readonly preconditioner?: PreconditionerOptions;
  readonly form?: UpdateForm;
  readonly seed?: number;
  /** See FactoredOutputLayerOptions. */
  readonly verifyEachStep?: boolean;
  /** Make every n-th step exactly singular: needs one example a batch. */
  readonly singularEvery?: number;
  /** How far such steps are from singular: 1 − 2η‖h‖², 0 unless given. */
  readonly singularDistance?: number;
}

/** The largest errors of weights and gradients, those of a perturbed dense run, and how far the weights moved. */
export interface ExactnessResult {
  /** Largest difference of a weight at the end, over the largest dense weight. */
  readonly weightError: number;
  /** Largest over the steps of the largest difference in ∇H over that step's largest entry. */
  readonly gradientError: number;
  /** The same two for the dense run perturbed by one unit in the last place. */
  readonly perturbedWeightError: number;
  readonly perturbedGradientError: number;
  /** ‖W_end − W_start‖/‖W_start‖ of the dense run: a run without change would test nothing. */
  readonly movement: number;
  readonly counters: FactoredLayerCounters;
  readonly verification: Verification;
}

/**
 * One minibatch of the seeded stream: hidden activations, targets from Zipf's law with duplicates forced in and across
 * examples.
 */
interface ExactnessBatch {
  /** m×d. */
  readonly hidden: Float64Array;
  readonly targets: CsrRows;
}

/** What a factored run is compared with: the same for all forms and backends, so it can be shared between their runs. */
export interface DenseRun extends Pick<
  ExactnessResult,
  'perturbedWeightError' | 'perturbedGradientError' | 'movement'
> {
  readonly batches: readonly ExactnessBatch[];
  /** D×d, before the first step and after the last. */
  readonly start: Float64Array;
  readonly weights: Float64Array;
  /** ∇H of each step, m×d. */
  readonly hiddenGradients: readonly Float64Array[];
}

/** The options of a run of the reference alone. */
export type DenseRunOptions = Omit<ExactnessOptions, 'form' | 'backend' | 'verifyEachStep'>;

/** Seeded minibatches whose targets follow Zipf's law; each call of the result gives the next. */
export function createBatches(options: ExactnessOptions): () => ExactnessBatch {
  const { classes, width, batch, targets, precision, preconditioner, seed = 1 } = options;
  const random = new RandomGenerator(seed + 1000);
  const zipf = (): number => Math.min(classes - 1, Math.floor(Math.exp(random.uniform() * Math.log(classes + 1))) - 1);
  return () => {
    const hidden = new Float64Array(batch * width);
    for (let i = 0; i < hidden.length; i++) {
      const scale = preconditioner === undefined ? 1 : (0.5 + (i % width)) / width;
      hidden[i] = stored(scale * random.normal(), precision);
    }
    const lists: number[][] = [];
    const weights: number[][] = [];
    for (let j = 0; j < batch; j++) {
      const count = targets === 'ragged' ? random.integer(6) : targets;
      const list = Array.from({ length: count }, zipf);
      // Within an example, and across: a repeated class, and the first class of the example before.
      if (count > 1 && random.uniform() < 0.3) list[count - 1] = list[0] ?? 0;
      const before = lists[j - 1]?.[0];
      if (count > 0 && before !== undefined && random.uniform() < 0.3) list[0] = before;
      lists.push(list);
      weights.push(list.map(() => (targets === 'ragged' ? stored(0.25 + random.uniform(), precision) : 1)));
    }
    return { hidden, targets: csrFromLists(lists, classes, targets === 'ragged' ? weights : undefined) };
  };
}

/** Cost: O(steps·m·D·d), and memory for all minibatches and their gradients. */
export function runDense(options: DenseRunOptions): DenseRun {
  const { loss, precision, classes, width, steps, learningRate, weightDecay = 0, preconditioner, seed = 1 } = options;
  const random = new RandomGenerator(seed);
  const start = new Float64Array(classes * width);
  for (let i = 0; i < start.length; i++) start[i] = stored(options.initialScale * random.normal(), precision);
  const epsilon = precision === 'f32' ? 2 ** -23 : 2 ** -52;
  const perturbed = start.map((value) => value * (1 + (random.uniform() < 0.5 ? epsilon : -epsilon)));
  const dense = new DenseReference(start.slice(), width, loss);
  const neighbour = new DenseReference(perturbed, width, loss);
  const [preconditionerOfDense, preconditionerOfNeighbour] = [0, 1].map(() =>
    preconditioner === undefined ? undefined : new DensePreconditioner(width, preconditioner),
  );
  const nextBatch = createBatches(options);
  const batches: ExactnessBatch[] = [];
  const hiddenGradients: Float64Array[] = [];
  let perturbedGradientError = 0;
  for (let step = 0; step < steps; step++) {
    const batch = nextBatch();
    const { hidden, targets } = batch;
    if (options.singularEvery !== undefined && step % options.singularEvery === 0) {
      preconditionerOfDense?.begin();
      makeSingular(hidden, targets, options, preconditionerOfDense);
    }
    const expected = dense.step(hidden, targets, learningRate, {
      weightDecay,
      preconditioner: preconditionerOfDense,
    }).hiddenGradient;
    const near = neighbour.step(hidden, targets, learningRate, {
      weightDecay,
      preconditioner: preconditionerOfNeighbour,
    }).hiddenGradient;
    perturbedGradientError = Math.max(perturbedGradientError, relativeError(near, expected));
    batches.push(batch);
    hiddenGradients.push(expected);
  }
  return {
    batches,
    start,
    weights: dense.weights,
    hiddenGradients,
    perturbedWeightError: relativeError(neighbour.weights, dense.weights),
    perturbedGradientError,
    movement: distance(dense.weights, start) / distance(start, new Float64Array(start.length)),
  };
}

/** @param dense of the same options; made here unless given. */
export async function runExactness(
  options: ExactnessOptions,
  dense: DenseRun = runDense(options),
): Promise<ExactnessResult> {
  const { loss, precision, classes, width, learningRate, weightDecay = 0, preconditioner } = options;
  const { start, perturbedWeightError, perturbedGradientError, movement } = dense;
  const backend = options.backend ?? createPlainBackend({ precision });
  using layer = await createFactoredOutputLayer(backend, {
    classes,
    features: width,
    loss: factoredLoss(loss),
    bias: false,
    weightDecay,
    initialRows: (first, count) => start.subarray(first * width, (first + count) * width),
    ...(preconditioner === undefined ? {} : { preconditioner }),
    ...(options.form === undefined ? {} : { form: options.form }),
    ...(options.verifyEachStep === undefined ? {} : { verifyEachStep: options.verifyEachStep }),
  });
  using hiddenMatrix = backend.createMatrix(options.batch, width);
  let gradientError = 0;
  for (const [step, { hidden, targets }] of dense.batches.entries()) {
    write(hidden, hiddenMatrix);
    const result = await layer.step(hiddenMatrix, targets, { learningRate });
    const gradient = await read(result.hiddenGradient);
    gradientError = Math.max(gradientError, relativeError(gradient, dense.hiddenGradients[step]!));
  }
  await layer.confirmSteps();
  using weights = backend.createMatrix(classes, width);
  layer.denseRows(0, weights);
  return {
    weightError: relativeError(await read(weights), dense.weights),
    gradientError,
    perturbedWeightError,
    perturbedGradientError,
    movement,
    counters: layer.counters,
    verification: await layer.verify(),
  };
}

/** The built-in loss that a reference loss describes. */
export function factoredLoss(loss: ReferenceLoss): ReturnType<typeof createBuiltInLoss> {
  const { name, ...options } = loss;
  return createBuiltInLoss(name, options);
}

/** Largest difference over the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    // NaN must not count as 0.
    const gap = Math.abs(actual[i]! - expected[i]!);
    difference = gap > difference || gap !== gap ? gap : difference;
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  return magnitude === 0 ? difference : difference / magnitude;
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}

function stored(value: number, precision: Precision): number {
  return precision === 'f32' ? Math.fround(value) : value;
}

/**
 * For the squared error of one example α is 1: scales h so that 1 − 2η‖h‖² (hᵀPh with a preconditioner) is the requested distance, up to the
 * rounding of a scale factor.
 */
function makeSingular(
  hidden: Float64Array,
  targets: CsrRows,
  { loss, learningRate, precision, singularDistance = 0 }: DenseRunOptions,
  preconditioner: DensePreconditioner | undefined,
): void {
  if (loss.name !== 'squared-error' || targets.rows !== 1) {
    throw new RangeError(
      `an exactly singular step is made for one example with the squared error, not ${targets.rows} with ${loss.name}`,
    );
  }
  const squares = preconditioner?.norm(hidden) ?? hidden.reduce((sum, value) => sum + value ** 2, 0);
  const scale = Math.sqrt((1 - singularDistance) / (2 * learningRate * squares));
  for (let i = 0; i < hidden.length; i++) hidden[i] = stored(hidden[i]! * scale, precision);
}
