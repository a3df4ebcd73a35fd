/** The options of a layer, their checks, and its initial rows. */
import { drawNormalRows, fillNormalRows, normalKeys, writeRows, type RowTable } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { checkLoss } from '../losses/check-loss.ts';
import type { SphericalLoss } from '../losses/loss.ts';
import { checkPreconditioner, type PreconditionerOptions } from './preconditioner.ts';
import { checkRegularizers, type RegularizerOptions } from './regularizers.ts';

/** How a step is computed: by m×m systems for small minibatches, or by d×d ones. */
export type UpdateForm = 'small-batch' | 'row';

/** Shape, loss, initial weights and form of a factored layer; `classes`, `features` and `loss` are required. */
export interface FactoredOutputLayerOptions extends RegularizerOptions {
  /** D. */
  readonly classes: number;
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  readonly loss: SphericalLoss;
  /** Whether to append a constant feature 1, so that each class has a bias. True unless given. */
  readonly bias?: boolean;
  /** Standard deviation of the normal start of W; 0.01 unless given. The page of each loss recommends a value. */
  readonly initialScale?: number;
  /** Seed of the random start; 1 unless given. */
  readonly seed?: number;
  /** Initial rows given by the user, instead of initialScale: rows `first` …, count×(features + bias), row by row. */
  readonly initialRows?: (first: number, count: number) => ArrayLike<number>;
  /** Learning rates and the hidden gradient refer to the minibatch's mean loss (the default) or to its sum. */
  readonly reduction?: 'mean' | 'sum';
  /** λ: after each step W ← (1 − ηλ)·W, exactly and at no cost. 0 unless given. */
  readonly weightDecay?: number;
  /**
   * Multiplies the gradient of W on the right by a d×d matrix P computed from the second moment of the inputs: W ← W −
   * ηGᵀHP, exactly. It changes the direction of each step, not its mean size, and costs a fifth of a step or less.
   * The hidden gradient stays that of the loss. None unless given.
   */
  readonly preconditioner?: PreconditionerOptions;
  /** Always use this form of the step; by default the cheaper one for each minibatch. */
  readonly form?: UpdateForm;
  /**
   * Whether to verify each step (finite values, regular small system) before it changes a weight. True by default
   * unless the backend only records calls, as on a GPU, where a read has to wait: there steps are verified
   * asynchronously, up to 16 at a time, and an error of a step is thrown by a later call. False needs a backend with a
   * guard, and is ignored with weightDecay, rowDecay and spreadOut.
   */
  readonly verifyEachStep?: boolean;
  /** Called while the layer is created, with the rows that have their start; of many millions it takes minutes. */
  readonly onProgress?: (rows: number, total: number) => void;
  /**
   * Called when work for numerical stability only (rebasing, converting old rows) begins and ends, for measuring it.
   * Calls are not nested.
   */
  readonly onStabilization?: (phase: 'begin' | 'end') => void;
}

/** Counted since creation; for benchmarks and logs. */
export interface FactoredLayerCounters {
  readonly steps: number;
  /** How often the weights were rebased: U kept as a transform of V's rows, and reset to I. */
  readonly rebases: number;
  readonly singularSteps: number;
  /** Steps that were repeated because the device had rejected them, or one before them; see verifyEachStep. */
  readonly repeatedSteps: number;
  /** Applications of a cached transform to a group of rows. */
  readonly transformsApplied: number;
  /** Form of the last step. */
  readonly form: UpdateForm | undefined;
}

/** @throws OutputLayerError `bad-option`. */
export function checkOptions({ classes, features, loss, ...others }: FactoredOutputLayerOptions): void {
  const { initialScale, weightDecay, preconditioner, reduction = 'mean' } = others;
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
  if (reduction !== 'mean' && reduction !== 'sum') {
    throw new OutputLayerError(
      'bad-option',
      `factored layer: reduction must be 'mean' or 'sum', got '${String(reduction)}'`,
    );
  }
  checkRegularizers({ classes, ...others });
  if (preconditioner !== undefined) checkPreconditioner(preconditioner);
  checkLoss('factored layer', loss);
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

/** Rows of a seeded normal start, in any order, those of fillNormalRows; the array is reused. */
export function createNormalRows(
  width: number,
  scale = 0.01,
  seed = 1,
): (first: number, count: number) => Float64Array {
  const keys = normalKeys(seed);
  let block = new Float64Array(0);
  return (first, count) => {
    const length = count * width;
    if (block.length < length) block = new Float64Array(length);
    const rows = block.subarray(0, length);
    if (scale !== 0) drawNormalRows(keys, first, count, scale, width, rows, width);
    return rows;
  };
}

/**
 * Fills rows `first` … with those that the options define.
 * @throws OutputLayerError `shape`, `non-finite` for rows given by the user.
 */
export function fillRows(
  table: RowTable,
  first: number,
  count: number,
  {
    initialScale = 0.01,
    seed = 1,
    initialRows,
  }: Pick<FactoredOutputLayerOptions, 'initialScale' | 'seed' | 'initialRows'>,
): void {
  if (initialRows === undefined) {
    fillNormalRows(table, first, count, { seed, scale: initialScale });
    return;
  }
  const values = initialRows(first, count);
  checkRows(values, first, count, table.columns);
  writeRows(values, first, table);
}

/** Whether W begins at zeros, as a new table does. */
export function isZeroStart({
  initialScale,
  initialRows,
}: Pick<FactoredOutputLayerOptions, 'initialScale' | 'initialRows'>): boolean {
  return initialRows === undefined && initialScale === 0;
}
