/**
 * A choice of a softmax layer as the options of softmax-losses, which are also those of the same layer over several
 * ranks.
 */
import {
  createLearnedUnigramProposal,
  createLogUniformProposal,
  createUniformProposal,
  createUnigramProposal,
  type FixedProposal,
  type SamplingOptions,
  type SoftmaxLayerOptions,
} from '@vastmax/softmax-losses';
import { createUpdateRule } from '@vastmax/update-rules';
import { ModelError } from '../model-error.ts';
import {
  proposalNames,
  type FullChoice,
  type OutputLayerChoice,
  type ProposalName,
  type SampledChoice,
} from './output-layer-choice.ts';

export interface OutputLayerSizes {
  /** Width of the body's activations. */
  readonly features: number;
  /** How often each class occurred in training, falling: the rows of the layer are its D classes. */
  readonly frequencies: Float64Array;
}

/** What all softmax layers take. */
export function softmaxLayerOptions(
  { features, frequencies }: OutputLayerSizes,
  { initialScale, seed, rule }: Exclude<OutputLayerChoice, { readonly kind: 'factored' | 'hybrid' }>,
): SoftmaxLayerOptions {
  return {
    classes: frequencies.length,
    features,
    initialScale,
    seed,
    ...(rule === undefined ? {} : { rule: createUpdateRule(rule.name, rule.options) }),
  };
}

/** Of the full softmax, label smoothing apart. It starts with its biases at the log of the unigram probabilities. */
export function fullLayerOptions(
  sizes: OutputLayerSizes,
  choice: FullChoice,
): SoftmaxLayerOptions & { readonly initialBiases: Float64Array } {
  return { ...softmaxLayerOptions(sizes, choice), initialBiases: logUnigram(sizes.frequencies) };
}

/**
 * Of a sampled softmax, of noise-contrastive estimation or of negative sampling. The first two start with their biases
 * at the log of the unigram probabilities: nce's unnormalised probabilities then start out normalised. @throws
 * RangeError for an unknown proposal.
 */
export function sampledLayerOptions(
  sizes: OutputLayerSizes,
  choice: SampledChoice,
): SoftmaxLayerOptions & SamplingOptions {
  const { kind, samples, proposal, power, sharing } = choice;
  const { frequencies } = sizes;
  return {
    ...softmaxLayerOptions(sizes, choice),
    samples,
    proposal: createProposal(proposal, frequencies, power),
    ...(sharing === undefined ? {} : { sharing }),
    ...(kind === 'negative' ? {} : { initialBiases: logUnigram(frequencies) }),
  };
}

function createProposal(name: ProposalName, frequencies: Float64Array, power: number | undefined): FixedProposal {
  switch (name) {
    case 'uniform':
      return createUniformProposal(frequencies.length);
    case 'log-uniform':
      return createLogUniformProposal(frequencies.length);
    case 'unigram':
      return createUnigramProposal(frequencies, power === undefined ? {} : { power });
    case 'learned':
      return createLearnedUnigramProposal(frequencies.length);
    default:
      throw new ModelError(
        'bad-option',
        `no proposal is called '${String(name)}'; there are ${proposalNames.join(', ')}`,
      );
  }
}

/**
 * What biases start from: a class that never occurred counts as half an occurrence, so that the log is finite. O(D).
 */
export function logUnigram(frequencies: Float64Array): Float64Array {
  const counts = frequencies.map((count) => Math.max(0.5, count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => Math.log(count / total));
}
