import { OutputLayerError } from '@vastmax/output-layer';
import { sgdRule, type UpdateRule } from '@vastmax/update-rules';

/** What every layer of this package takes. */
export interface SoftmaxLayerOptions {
  /** D. */
  readonly classes: number;
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  /** Give each class a bias. True unless given. */
  readonly bias?: boolean;
  /** Standard deviation of the normal start of the weights; 0.01 unless given. Biases start at 0. */
  readonly initialScale?: number;
  /** Seed of that start; 1 unless given. */
  readonly seed?: number;
  /** How a gradient changes the layer's own weights; plain SGD unless given. */
  readonly rule?: UpdateRule;
  /** What learning rates and the hidden gradient refer to: the minibatch's mean loss (the default) or its sum. */
  readonly reduction?: 'mean' | 'sum';
}

export interface WeightOptions {
  readonly bias: boolean;
  readonly initialScale: number;
  readonly seed: number;
  readonly rule: UpdateRule;
}

/** Bias, rule and start, with what is left out filled in. */
export function weightOptions(options: SoftmaxLayerOptions): WeightOptions {
  const { bias = true, initialScale = 0.01, seed = 1, rule = sgdRule() } = options;
  return { bias, initialScale, seed, rule };
}

/** @throws OutputLayerError `bad-option`. */
export function checkLayerOptions(kind: string, options: SoftmaxLayerOptions): void {
  const { classes, features, initialScale = 0, reduction = 'mean' } = options;
  checkWhole(kind, 'classes', classes, 1, 2 ** 31 - 1);
  checkWhole(kind, 'features', features, 1, 2 ** 31 - 1);
  if (!Number.isFinite(initialScale) || initialScale < 0) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: initialScale must be a finite number of at least 0, got ${initialScale}`,
    );
  }
  if (reduction !== 'mean' && reduction !== 'sum') {
    throw new OutputLayerError('bad-option', `${kind}: reduction must be 'mean' or 'sum', got '${String(reduction)}'`);
  }
}

/** @throws OutputLayerError `bad-option`. */
export function checkWhole(kind: string, name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: ${name} must be a whole number from ${least} to ${most}, got ${value}`,
    );
  }
}

/**
 * One finite number of at least `least` for each of `count` classes.
 * @throws OutputLayerError `bad-option`, `non-finite`.
 */
export function checkPerClass(
  kind: string,
  name: string,
  values: ArrayLike<number>,
  count: number,
  least: number = -Infinity,
): void {
  if (values.length !== count) {
    throw new OutputLayerError('bad-option', `${kind}: ${values.length} ${name} for ${count} classes; one for each`);
  }
  for (let i = 0; i < count; i++) {
    if (Number.isFinite(values[i]) && values[i]! >= least) continue;
    throw new OutputLayerError(
      'non-finite',
      `${kind}: ${name} of class ${i} is ${values[i]}, it must be a finite number${least === -Infinity ? '' : ` of at least ${least}`}`,
    );
  }
}
