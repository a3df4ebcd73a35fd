import { createHybridOutputLayer } from '@vastmax/hybrid-layer';
import type { Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import {
  createAdaptiveSoftmaxLayer,
  createFullSoftmaxLayer,
  createHierarchicalSoftmaxLayer,
  createHuffmanSoftmaxLayer,
  createLearnedUnigramProposal,
  createLogUniformProposal,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createQuadraticSoftmaxLayer,
  createRandomFourierSoftmaxLayer,
  createSampledSoftmaxLayer,
  createUniformProposal,
  createUnigramProposal,
  type FixedProposal,
  type SoftmaxLayerOptions,
} from '@vastmax/softmax-losses';
import { createBuiltInLoss, createFactoredOutputLayer, taylorSoftmax } from '@vastmax/spherical-losses';
import { createUpdateRule } from '@vastmax/update-rules';
import { outputLayerNames, proposalNames, type OutputLayerChoice, type ProposalName, type SampledChoice } from './output-layer-choice.ts';

export interface OutputLayerSizes {
  /** Width of the body's activations. */
  readonly features: number;
  /** How often each class occurred in training, falling: the rows of the layer are its D classes. */
  readonly frequencies: Float64Array;
}

/** Makes the layer of a choice; {@link createOutputLayer} is one, and a layer over several ranks comes from another. */
export type OutputLayerFactory = (backend: Backend, sizes: OutputLayerSizes, choice: OutputLayerChoice) => Promise<OutputLayer>;

/**
 * The layer of a choice. Those that normalise over all classes or over a sample start with their biases at the log of the unigram
 * probabilities. O(D·d²) for the factored layer, O(D·d) for the others, once.
 * @throws RangeError for an unknown kind, loss or proposal; OutputLayerError `bad-option` for a value that does not fit.
 */
export async function createOutputLayer(
  backend: Backend,
  { features, frequencies }: OutputLayerSizes,
  choice: OutputLayerChoice,
): Promise<OutputLayer> {
  const classes = frequencies.length;
  const { kind, initialScale, seed } = choice;
  if (choice.kind === 'factored') {
    return createFactoredOutputLayer(backend, {
      classes,
      features,
      loss: createBuiltInLoss(choice.loss.name, choice.loss.options),
      initialScale,
      seed,
      ...(choice.weightDecay === undefined ? {} : { weightDecay: choice.weightDecay }),
    });
  }
  if (choice.kind === 'hybrid') {
    const { headSize, cutoffs, priorPower, tailLoss, headRate, tailRate } = choice;
    return createHybridOutputLayer(backend, {
      features,
      frequencies,
      initialScale,
      seed,
      ...(headSize === undefined ? {} : { headSize }),
      ...(cutoffs === undefined ? {} : { tailCutoffs: cutoffs }),
      ...(priorPower === undefined ? {} : { priorPower }),
      ...(tailLoss === 'taylor-softmax' ? { tailLoss: () => taylorSoftmax() } : {}),
      ...(headRate === undefined ? {} : { headRate }),
      ...(tailRate === undefined ? {} : { tailRate }),
    });
  }
  const { rule } = choice;
  const common: SoftmaxLayerOptions = {
    classes,
    features,
    initialScale,
    seed,
    ...(rule === undefined ? {} : { rule: createUpdateRule(rule.name, rule.options) }),
  };
  switch (choice.kind) {
    case 'full': {
      const { labelSmoothing } = choice;
      return createFullSoftmaxLayer(backend, {
        ...common,
        initialBiases: logUnigram(frequencies),
        ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
      });
    }
    case 'hierarchical':
      return createHierarchicalSoftmaxLayer(backend, { ...common, frequencies });
    case 'huffman':
      return createHuffmanSoftmaxLayer(backend, { ...common, frequencies });
    case 'adaptive': {
      const { cutoffs, divValue } = choice;
      return createAdaptiveSoftmaxLayer(backend, {
        ...common,
        frequencies,
        headBias: true,
        ...(cutoffs === undefined ? {} : { cutoffs }),
        ...(divValue === undefined ? {} : { divValue }),
      });
    }
    case 'sampled':
    case 'nce':
    case 'negative':
      return createSampled(backend, common, frequencies, choice);
    case 'rf': {
      const { samples, temperature, frequencies: count, nu } = choice;
      return createRandomFourierSoftmaxLayer(backend, {
        ...common,
        samples,
        ...(temperature === undefined ? {} : { temperature }),
        ...(count === undefined ? {} : { frequencies: count }),
        ...(nu === undefined ? {} : { nu }),
      });
    }
    case 'quadratic': {
      const { samples, temperature, alpha } = choice;
      return createQuadraticSoftmaxLayer(backend, {
        ...common,
        samples,
        ...(temperature === undefined ? {} : { temperature }),
        ...(alpha === undefined ? {} : { alpha }),
      });
    }
    default:
      throw new RangeError(`no output layer is called '${String(kind)}'; there are ${outputLayerNames.join(', ')}`);
  }
}

function createSampled(
  backend: Backend,
  common: SoftmaxLayerOptions,
  frequencies: Float64Array,
  { kind, samples, proposal, power, sharing }: SampledChoice,
): Promise<OutputLayer> {
  const options = {
    ...common,
    samples,
    proposal: createProposal(proposal, frequencies, power),
    ...(sharing === undefined ? {} : { sharing }),
  };
  if (kind === 'negative') return createNegativeSamplingLayer(backend, options);
  // Its unnormalised probabilities then start out normalised.
  if (kind === 'nce') return createNoiseContrastiveLayer(backend, { ...options, initialBiases: logUnigram(frequencies) });
  return createSampledSoftmaxLayer(backend, { ...options, initialBiases: logUnigram(frequencies) });
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
      throw new RangeError(`no proposal is called '${String(name)}'; there are ${proposalNames.join(', ')}`);
  }
}

/** What biases start from: a class that never occurred counts as half an occurrence, so that the log is finite. O(D). */
export function logUnigram(frequencies: Float64Array): Float64Array {
  const counts = frequencies.map((count) => Math.max(0.5, count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => Math.log(count / total));
}
