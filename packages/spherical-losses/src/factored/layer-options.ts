/** What a layer is created with: its options, their checks, and the rows that it starts from. */
import { writeRows, type RowTable } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { SphericalLoss } from '../losses/loss.ts';
import { rowsPerBlock } from './gram-matrix.ts';

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
   * Verify each step (is it finite, is its small system regular) before it changes a weight. True unless calls are only
   * recorded, as on a GPU, where to read a number is to wait: there steps are verified asynchronously, up to 16 at a
   * time, and what `step` should have thrown is thrown by a later call. Needs a backend with a guard when false, and is
   * not heeded with weightDecay.
   */
  readonly verifyEachStep?: boolean;
  /**
   * Told when work for numerical stability alone (rebasing, converting old rows) begins and ends; for measuring it. Not
   * nested.
   */
  readonly onStabilization?: (phase: 'begin' | 'end') => void;
}

/** Counted since creation; for benchmarks and logs. */
export interface FactoredLayerCounters {
  readonly steps: number;
  /** How often the weights were rebased: U kept as a transform of V's rows, and started again at I. */
  readonly rebases: number;
  readonly singularSteps: number;
  /** Steps done again because the device had refused them, or one before them; see verifyEachStep. */
  readonly repeatedSteps: number;
  /** Applications of a cached transform to a group of rows. */
  readonly transformsApplied: number;
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

/** Rows of a seeded normal start, asked for block after block from the first; the array is reused. */
export function createNormalRows(
  width: number,
  scale = 0.01,
  seed = 1,
): (first: number, count: number) => Float64Array {
  const random = new RandomGenerator(seed);
  let block = new Float64Array(0);
  return (_first, count) => {
    const length = count * width;
    if (block.length < length) block = new Float64Array(length);
    for (let i = 0; i < length; i++) block[i] = scale * random.normal();
    return block.subarray(0, length);
  };
}

/**
 * The rows that the options ask for, block after block.
 * @throws OutputLayerError `shape`, `non-finite` for rows of the user's own.
 */
export function fillRows(
  table: RowTable,
  { initialScale, seed, initialRows }: Pick<FactoredOutputLayerOptions, 'initialScale' | 'seed' | 'initialRows'>,
): void {
  const { rows, columns } = table;
  const rowsFrom = initialRows ?? createNormalRows(columns, initialScale, seed);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, rows - first);
    const values = rowsFrom(first, count);
    checkRows(values, first, count, columns);
    writeRows(values, first, table);
  }
}
