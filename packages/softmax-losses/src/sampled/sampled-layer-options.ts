import { OutputLayerError } from '@vastmax/output-layer';
import { checkLayerOptions, checkPerClass, checkWhole, type SoftmaxLayerOptions } from '../layer/layer-options.ts';
import type { FixedProposal, Proposal } from '../proposals/proposal.ts';

/** How many classes are drawn, from what, and whether a minibatch shares them. */
export interface SamplingOptions<Kind extends Proposal = FixedProposal> {
  /**
   * The distribution of the negatives. Default: one that counts the targets during training
   * (createLearnedUnigramProposal). Frequent classes are the most useful negatives: a uniform proposal needs many times
   * as many samples.
   */
  readonly proposal?: Kind;
  /** n, the number of draws for a minibatch or an example; default 500. */
  readonly samples?: number;
  /**
   * `minibatch` (default): all examples share n draws, and their logits are one matrix product. `example`: n draws for
   * each example; m times as many operations, and independent estimates. A query proposal always draws for each
   * example.
   */
  readonly sharing?: 'minibatch' | 'example';
  /**
   * Whether a class that was drawn more than once counts as one sample, with the expected count 1 − (1 − P)ⁿ. Default
   * false.
   */
  readonly unique?: boolean;
  /**
   * Whether samples that are a target of the example are masked. Default true. With false the estimate of the partition
   * function contains the term of the target twice, in expectation.
   */
  readonly removeAccidentalHits?: boolean;
  /** Seed of the draws; default `seed` + 1. */
  readonly sampleSeed?: number;
  /** Initial biases, one for each class, such as the log of its unigram probability; default 0. */
  readonly initialBiases?: ArrayLike<number>;
}

/** Options of the sampled softmax with the logQ correction. */
export interface SampledSoftmaxOptions extends SoftmaxLayerOptions, SamplingOptions<Proposal> {
  /**
   * Whether the target's logit is also corrected by −ln(n·P), as in TensorFlow. Default false: the estimate of the
   * partition function is then unbiased.
   */
  readonly correctTargets?: boolean;
  /**
   * Classes that are in every sample, each with weight 1; default none. The samples of the minibatch are then
   * stratified: these terms of the partition function are exact, and only the sum over the others is estimated. Draws
   * of these classes are dropped, so the proposal should give them no probability (createStratifiedUnigram). Only for
   * shared samples; a state can be restored only into a layer with as many.
   */
  readonly head?: ArrayLike<number>;
  /**
   * τ: logits are τ·cos(h, w), from hidden activations and class vectors normalised to length 1, and there are no
   * biases. Default: logits are h·w + b.
   */
  readonly temperature?: number;
}

/** Options of noise contrastive estimation; `logNormalizer` is the constant log Z. */
export interface NoiseContrastiveOptions extends SoftmaxLayerOptions, SamplingOptions {
  /** c, the assumed log of the partition function; default 0. ln D is correct for initial weights near 0. */
  readonly logNormalizer?: number;
}

/** Options of negative sampling (arXiv:1310.4546). */
export interface NegativeSamplingOptions extends SoftmaxLayerOptions, SamplingOptions {}

/** Options of any of the three layers. */
export type AnySampledOptions = SoftmaxLayerOptions &
  SamplingOptions<Proposal> &
  Pick<SampledSoftmaxOptions, 'temperature' | 'head'>;

/** Whether the classes have biases. */
export function hasBias({ bias, temperature }: { readonly bias?: boolean; readonly temperature?: number }): boolean {
  return bias ?? temperature === undefined;
}

/** @throws OutputLayerError `bad-option`, `non-finite`. */
export function checkSamplingOptions(kind: string, options: AnySampledOptions): void {
  checkLayerOptions(kind, options);
  const {
    classes,
    proposal,
    samples = 1,
    sharing,
    sampleSeed = 0,
    seed = 1,
    initialBiases,
    temperature,
    head,
  } = options;
  checkWhole(kind, 'samples', samples, 1, 2 ** 24);
  checkWhole(kind, 'seed', seed, 0, Number.MAX_SAFE_INTEGER - 1);
  checkWhole(kind, 'sampleSeed', sampleSeed, 0, Number.MAX_SAFE_INTEGER);
  if (proposal !== undefined && proposal.classes !== classes) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: the ${proposal.name} proposal has ${proposal.classes} classes, the layer ${classes}`,
    );
  }
  if (sharing !== undefined && sharing !== 'minibatch' && sharing !== 'example') {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: sharing must be 'minibatch' or 'example', got '${String(sharing)}'`,
    );
  }
  if (proposal?.kind === 'query' && sharing === 'minibatch') {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: the ${proposal.name} proposal draws for each example; sharing cannot be 'minibatch'`,
    );
  }
  if (head !== undefined) checkHead(kind, head, classes);
  if (head !== undefined && head.length > 0 && (sharing === 'example' || proposal?.kind === 'query')) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: a head of ${head.length} classes needs samples that the minibatch shares; leave head out, or give sharing 'minibatch' and a fixed proposal`,
    );
  }
  if (temperature !== undefined) checkTemperature(kind, temperature, options.bias);
  if (initialBiases === undefined) return;
  if (!hasBias(options))
    throw new OutputLayerError('bad-option', `${kind}: initialBiases need biases, but there are none`);
  checkPerClass(kind, 'initialBiases', initialBiases, classes);
}

/**
 * A logistic loss needs the probability of the target too. A query proposal knows only the probabilities of the classes
 * it drew.
 */
export function checkFixedProposal(kind: string, { proposal }: SamplingOptions<Proposal>): void {
  if (proposal === undefined || proposal.kind === 'fixed') return;
  throw new OutputLayerError(
    'bad-option',
    `${kind}: the ${proposal.name} proposal depends on the query; give a fixed one, or use sampled softmax`,
  );
}

function checkHead(kind: string, head: ArrayLike<number>, classes: number): void {
  const seen = new Set<number>();
  for (let i = 0; i < head.length; i++) {
    checkWhole(kind, `class ${i} of the head`, head[i]!, 0, classes - 1);
    if (seen.has(head[i]!))
      throw new OutputLayerError('bad-option', `${kind}: class ${head[i]} is in the head twice; give each once`);
    seen.add(head[i]!);
  }
}

function checkTemperature(kind: string, temperature: number, bias: boolean | undefined): void {
  if (!Number.isFinite(temperature) || !(temperature > 0)) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: temperature must be a finite number above 0, got ${temperature}`,
    );
  }
  if (bias === true)
    throw new OutputLayerError(
      'bad-option',
      `${kind}: logits of a temperature are cosines and have no biases; leave bias out`,
    );
}
