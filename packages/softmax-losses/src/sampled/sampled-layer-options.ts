import { OutputLayerError } from '@vastmax/output-layer';
import { checkLayerOptions, checkPerClass, checkWhole, type SoftmaxLayerOptions } from '../layer/layer-options.ts';
import type { FixedProposal, Proposal } from '../proposals/proposal.ts';

export interface SamplingOptions<Kind extends Proposal = FixedProposal> {
  /**
   * What negatives are drawn from; one that learns the targets' frequencies by counts unless given. Frequent negatives
   * are the hard ones: a uniform proposal needs many times the samples.
   */
  readonly proposal?: Kind;
  /** n, draws for a minibatch or an example; 500 unless given. */
  readonly samples?: number;
  /**
   * `minibatch`, unless given: all examples share n draws, and their logits are one product. `example`: n draws for
   * each example, m times the arithmetic and independent estimates. A query proposal always draws for each example.
   */
  readonly sharing?: 'minibatch' | 'example';
  /** Count a class that was drawn more than once as one sample, of expected count 1 − (1 − P)ⁿ. False unless given. */
  readonly unique?: boolean;
  /**
   * Mask samples that are a target of the example. True unless given; otherwise the target's term is counted twice in
   * expectation.
   */
  readonly removeAccidentalHits?: boolean;
  /** Seed of the draws; `seed` + 1 unless given. */
  readonly sampleSeed?: number;
  /** One bias for each class to start from, the log of its unigram probability say; 0 unless given. */
  readonly initialBiases?: ArrayLike<number>;
}

export interface SampledSoftmaxOptions extends SoftmaxLayerOptions, SamplingOptions<Proposal> {
  /**
   * Correct the target's logit by −ln(n·P) too, as TensorFlow does. False unless given: the partition estimate is then
   * unbiased.
   */
  readonly correctTargets?: boolean;
  /**
   * τ: logits are τ·cos(h, w), of hidden activations and class vectors normalised to length 1, and there are no biases.
   * Logits are h·w + b unless given.
   */
  readonly temperature?: number;
}

export interface NoiseContrastiveOptions extends SoftmaxLayerOptions, SamplingOptions {
  /**
   * c, what the log of the partition function is taken to be; 0 unless given. ln D is right for weights that start near
   * 0.
   */
  readonly logNormalizer?: number;
}

export interface NegativeSamplingOptions extends SoftmaxLayerOptions, SamplingOptions {}

/** Whether the classes have biases. */
export function hasBias({ bias, temperature }: { readonly bias?: boolean; readonly temperature?: number }): boolean {
  return bias ?? temperature === undefined;
}

/** @throws OutputLayerError `bad-option`, `non-finite`. */
export function checkSamplingOptions(
  kind: string,
  options: SoftmaxLayerOptions & SamplingOptions<Proposal> & { readonly temperature?: number },
): void {
  checkLayerOptions(kind, options);
  const { classes, proposal, samples = 1, sharing, sampleSeed = 0, seed = 1, initialBiases, temperature } = options;
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
  if (temperature !== undefined) checkTemperature(kind, temperature, options.bias);
  if (initialBiases === undefined) return;
  if (!hasBias(options))
    throw new OutputLayerError('bad-option', `${kind}: initialBiases need biases, but there are none`);
  checkPerClass(kind, 'initialBiases', initialBiases, classes);
}

/**
 * A query proposal knows only the probabilities of what it drew, and only for one query: a logistic loss wants that of
 * the target too.
 */
export function checkFixedProposal(kind: string, { proposal }: SamplingOptions<Proposal>): void {
  if (proposal === undefined || proposal.kind === 'fixed') return;
  throw new OutputLayerError(
    'bad-option',
    `${kind}: the ${proposal.name} proposal depends on the query; give a fixed one, or use sampled softmax`,
  );
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
