import { OutputLayerError } from '@vastmax/output-layer';
import { checkRule, sgdRule, type UpdateRule } from '@vastmax/update-rules';

/** Options of every layer of this package. */
export interface SoftmaxLayerOptions {
  /** D. */
  readonly classes: number;
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  /** Whether each class has a bias. Default true. */
  readonly bias?: boolean;
  /** Standard deviation of the initial weights, which are normally distributed; default 0.01. Biases start at 0. */
  readonly initialScale?: number;
  /** Seed of the initial weights; default 1. */
  readonly seed?: number;
  /** Update rule of the layer's weights; default plain SGD. */
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

/** The options of the weights, with defaults filled in. */
export function weightOptions(options: SoftmaxLayerOptions): WeightOptions {
  const { bias = true, initialScale = 0.01, seed = 1, rule = sgdRule() } = options;
  return { bias, initialScale, seed, rule };
}

/** @throws OutputLayerError `bad-option`. */
export function checkLayerOptions(kind: string, options: SoftmaxLayerOptions): void {
  const { classes, features, initialScale = 0, seed = 1, reduction = 'mean', rule } = options;
  checkWhole(kind, 'classes', classes, 1, 2 ** 31 - 1);
  checkWhole(kind, 'features', features, 1, 2 ** 31 - 1);
  // Parts of a layer begin from seeds after this one.
  checkWhole(kind, 'seed', seed, 0, 2 ** 52);
  if (!Number.isFinite(initialScale) || initialScale < 0) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: initialScale must be a finite number of at least 0, got ${initialScale}`,
    );
  }
  if (rule !== undefined) checkRule(kind, rule);
  if (reduction !== 'mean' && reduction !== 'sum') {
    throw new OutputLayerError('bad-option', `${kind}: reduction must be 'mean' or 'sum', got '${String(reduction)}'`);
  }
}

/** @throws OutputLayerError `bad-option`. */
export function checkWhole(kind: string, name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: ${name} must be a whole number from ${minimum} to ${maximum}, got ${value}`,
    );
  }
}

/**
 * Checks that there is one finite number of at least `minimum` for each of `count` classes.
 * @throws OutputLayerError `bad-option`, `non-finite`.
 */
export function checkPerClass(
  kind: string,
  name: string,
  values: ArrayLike<number>,
  count: number,
  minimum: number = -Infinity,
): void {
  if (values.length !== count) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: ${values.length} ${name} for ${count} classes; there must be one for each class`,
    );
  }
  for (let i = 0; i < count; i++) {
    if (Number.isFinite(values[i]) && values[i]! >= minimum) continue;
    throw new OutputLayerError(
      'non-finite',
      `${kind}: ${name} of class ${i} is ${values[i]}, it must be a finite number${minimum === -Infinity ? '' : ` of at least ${minimum}`}`,
    );
  }
}
