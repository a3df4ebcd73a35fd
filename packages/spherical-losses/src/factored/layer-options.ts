import { OutputLayerError } from '@vastmax/output-layer';
import type { SphericalLoss } from '../loss.ts';

export type UpdateForm = 'small-batch' | 'row';

export interface FactoredOutputLayerOptions {
  /** D. */
  readonly classes: number;
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  readonly loss: SphericalLoss;
  /** Append a constant feature 1, so that each class has a bias. True unless given. */
  readonly bias?: boolean;
  /** Standard deviation of the normal start of W; 0.01 unless given. The loss's page says what suits it. */
  readonly initialScale?: number;
  /** Seed of that start; 1 unless given. */
  readonly seed?: number;
  /** Rows `first` … of a start of your own, count×(features + bias), row by row; instead of initialScale. */
  readonly initialRows?: (first: number, count: number) => ArrayLike<number>;
  /** What learning rates and the hidden gradient refer to: the minibatch's mean loss (the default) or its sum. */
  readonly reduction?: 'mean' | 'sum';
  /** λ: after each step W ← (1 − ηλ)·W, exactly and at no cost. 0 unless given. */
  readonly weightDecay?: number;
  /** One of the two forms of the step always; the cheaper one for each minibatch unless given. */
  readonly form?: UpdateForm;
  /**
   * Look at each step (is it finite, is its small system singular) before it changes a weight. True unless calls are
   * only recorded, as on a GPU, where to look is to wait: there up to 16 steps go by before the layer looks, and what
   * `step` should have thrown is thrown by a later call. Needs a backend with a guard when false, and is not heeded
   * with weightDecay.
   */
  readonly readEachStep?: boolean;
  /**
   * Told when work for numerical stability alone (closing, converting stale rows, sweeping) begins and ends; for
   * measuring it. Not nested.
   */
  readonly onStabilization?: (phase: 'begin' | 'end') => void;
}

/** Counted since creation; for benchmarks and logs. */
export interface FactoredLayerCounters {
  readonly steps: number;
  readonly generationsClosed: number;
  readonly singularSteps: number;
  /** Steps done again because the device had refused them, or one before them; see readEachStep. */
  readonly repeatedSteps: number;
  /** Applications of a ladder map to a group of rows. */
  readonly mapsApplied: number;
  /** Form of the last step. */
  readonly form: UpdateForm | undefined;
}

/** @throws OutputLayerError `bad-option`. */
export function checkOptions({ classes, features, initialScale, weightDecay }: FactoredOutputLayerOptions): void {
  for (const [name, value] of [
    ['classes', classes],
    ['features', features],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31 - 1) {
      throw new OutputLayerError(
        'bad-option',
        `factored layer: ${name} must be a whole number from 1 to 2³¹ − 1, got ${value}`,
      );
    }
  }
  for (const [name, value] of [
    ['initialScale', initialScale],
    ['weightDecay', weightDecay],
  ] as const) {
    if (value !== undefined && (!Number.isFinite(value) || value < 0)) {
      throw new OutputLayerError(
        'bad-option',
        `factored layer: ${name} must be a finite number of at least 0, got ${value}`,
      );
    }
  }
}

/** The factor 1 − ηλ must be above 0. @throws OutputLayerError `bad-option`. */
export function checkDecay(
  { weightDecay = 0 }: Pick<FactoredOutputLayerOptions, 'weightDecay'>,
  learningRate: number,
): void {
  if (learningRate * weightDecay < 1) return;
  throw new OutputLayerError(
    'bad-option',
    `factored step: learningRate ${learningRate} times weightDecay ${weightDecay} must be below 1`,
  );
}

/** count×width finite numbers for the classes from `first` on. */
export function checkRows(values: ArrayLike<number>, first: number, count: number, width: number): void {
  if (values.length !== count * width) {
    throw new OutputLayerError(
      'shape',
      `factored layer: ${values.length} initial values for ${count} rows of ${width}`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new OutputLayerError(
        'non-finite',
        `factored layer: the initial weight of class ${first + Math.floor(i / width)}, feature ${i % width} is ${values[i]}`,
      );
    }
  }
}

/**
 * The arguments of addClasses. @returns how many classes are added.
 * @throws OutputLayerError `shape`, `non-finite`.
 */
export function checkAddedClasses(
  {
    classes,
    width,
    hasConstants,
  }: { readonly classes: number; readonly width: number; readonly hasConstants: boolean },
  values: ArrayLike<number>,
  constants: ArrayLike<number> | undefined,
): number {
  const count = values.length / width;
  if (!Number.isInteger(count) || count === 0) {
    throw new OutputLayerError(
      'shape',
      `addClasses: ${values.length} values are not whole rows of ${width} (features and bias)`,
    );
  }
  checkRows(values, classes, count, width);
  const given = constants?.length ?? 0;
  if (given === (hasConstants ? count : 0)) return count;
  throw new OutputLayerError(
    'shape',
    `addClasses: ${given} class constants for ${count} classes of a loss ${hasConstants ? 'with' : 'without'} constants`,
  );
}
