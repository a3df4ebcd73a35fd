import { OutputLayerError } from '@vastmax/output-layer';
import type { UpdateRule } from '@vastmax/update-rules';

/** Options of `createFullSoftmaxLayer`, which is the same layer in one process; the same on every rank. */
export interface VocabularyParallelSoftmaxOptions {
  /** D over all ranks. */
  readonly classes: number;
  /** Width of the hidden activations, without the bias feature. */
  readonly features: number;
  /** Whether each class has a bias. True unless given. */
  readonly bias?: boolean;
  /**
   * Standard deviation of the normal start of the weights; 0.01 unless given. A seeded start is that of one process,
   * whatever the number of ranks.
   */
  readonly initialScale?: number;
  /** 1 unless given. */
  readonly seed?: number;
  /** Initial biases, one for each of the D classes; 0 unless given. */
  readonly initialBiases?: ArrayLike<number>;
  /** How gradients change the layer's own weights; plain SGD unless given. */
  readonly rule?: UpdateRule;
  /**
   * What learning rates and hidden gradients refer to: the mean loss over the examples of all ranks (the default) or
   * their sum.
   */
  readonly reduction?: 'mean' | 'sum';
  /** Classes computed at once; 1024 unless given. */
  readonly blockClasses?: number;
}

/** @throws OutputLayerError `bad-option`. */
export function checkSoftmaxOptions(options: VocabularyParallelSoftmaxOptions): void {
  const {
    classes,
    features,
    bias = true,
    initialScale = 0.01,
    initialBiases,
    reduction = 'mean',
    blockClasses = 1024,
  } = options;
  const fail = (problem: string): never => {
    throw new OutputLayerError('bad-option', `vocabulary-parallel softmax: ${problem}`);
  };
  for (const [name, value] of Object.entries({ classes, features, blockClasses })) {
    if (!Number.isSafeInteger(value) || value < 1 || value >= 2 ** 31)
      fail(`${name} must be a whole number from 1 to 2147483647, got ${value}`);
  }
  if (!(initialScale >= 0) || !Number.isFinite(initialScale))
    fail(`initialScale must be a finite number of at least 0, got ${initialScale}`);
  if (!['mean', 'sum'].includes(reduction)) fail(`reduction must be 'mean' or 'sum', got '${String(reduction)}'`);
  if (initialBiases !== undefined && (!bias || initialBiases.length !== classes))
    fail(`${initialBiases.length} initialBiases for ${bias ? classes : 'no'} biases; one for each class`);
}
