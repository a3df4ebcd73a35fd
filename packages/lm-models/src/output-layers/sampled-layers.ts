/** The registry's entries of the layers that train on a sample of the classes. */
import {
  createLearnedUnigramProposal,
  createLogUniformProposal,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createQuadraticSoftmaxLayer,
  createRandomFourierSoftmaxLayer,
  createSampledSoftmaxLayer,
  createStratifiedUnigram,
  createUniformProposal,
  createUnigramProposal,
  type FixedProposal,
  type SampledLayer,
  type SampledSoftmaxOptions,
  type SamplingOptions,
  type SoftmaxLayerOptions,
} from '@vastmax/softmax-losses';
import type { OutputLayer } from '@vastmax/output-layer';
import { ModelError } from '../model-error.ts';
import { factoredOperations } from './factored-layers.ts';
import {
  proposalNames,
  type KernelSampledChoice,
  type ProposalName,
  type SampledChoice,
} from './output-layer-choice.ts';
import type { AddedClasses, OutputLayerEntry, OutputLayerSizes } from './output-layer-entry.ts';
import { logUnigram, softmaxLayerOptions } from './softmax-layers.ts';

/**
 * Of a sampled softmax, of noise-contrastive estimation or of negative sampling. The first two start with their biases
 * at the log of the unigram probabilities: nce's unnormalised probabilities then start out normalised.
 * @throws ModelError `bad-option` for an unknown proposal, or a head that it does not have.
 */
export function sampledLayerOptions(
  sizes: OutputLayerSizes,
  choice: SampledChoice,
): SoftmaxLayerOptions & SamplingOptions & Pick<SampledSoftmaxOptions, 'head'> {
  const { kind, samples, sharing } = choice;
  const { frequencies } = sizes;
  return {
    ...softmaxLayerOptions(sizes, choice),
    samples,
    ...samplingOf(choice, frequencies),
    ...(sharing === undefined ? {} : { sharing }),
    ...(kind === 'negative' ? {} : { initialBiases: logUnigram(frequencies) }),
  };
}

/** What is drawn, and what is in every sample. */
function samplingOf(
  { kind, proposal, power, head = 0 }: SampledChoice,
  frequencies: Float64Array,
): { readonly proposal: FixedProposal; readonly head?: Int32Array } {
  if (head === 0) return { proposal: createProposal(proposal, frequencies, power) };
  if (kind !== 'sampled' || proposal !== 'unigram') {
    throw new ModelError(
      'bad-option',
      `a head of ${head} classes belongs to sampled with the unigram proposal, not to ${kind} with ${proposal}; leave head out`,
    );
  }
  return createStratifiedUnigram(frequencies, { head, ...(power === undefined ? {} : { power }) });
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

type OfKind<Choice, Kind extends string> = Choice & { readonly kind: Kind };

const sampled: Pick<OutputLayerEntry<SampledChoice>, 'options' | 'defaults' | 'cost' | 'addClasses'> = {
  addClasses: addSampledClasses,
  options: ['samples', 'proposal', 'power', 'sharing', 'rule'],
  defaults: { samples: 500, proposal: 'unigram', power: 1, sharing: 'minibatch', rule: { name: 'sgd' } },
  cost: {
    step: '6mnd for n samples',
    growth: 'not at all',
    operations: ({ batch, classes, width }, { samples, head = 0 }) =>
      6 * batch * Math.min(classes, head + samples) * width,
  },
};
const sampledAbilities: OutputLayerEntry<SampledChoice>['abilities'] = {
  probabilities: 'yes',
  targetWeights: () => 'shares',
  overRanks: true,
  rowsOverRanks: 'a class on one rank; all ranks draw the same samples',
  refusedOverRanks: ({ sharing }) =>
    sharing === 'example' ? { option: 'sharing', reason: 'draws samples for the minibatch of all ranks' } : undefined,
  addsClasses: true,
};

function addSampledClasses(layer: OutputLayer, { values, frequencies }: AddedClasses, choice: SampledChoice): void {
  (layer as SampledLayer).change('addClasses', (method) => {
    method.addClasses(values, samplingOf(choice, frequencies).proposal);
  });
}

export const sampledEntry: OutputLayerEntry<OfKind<SampledChoice, 'sampled'>> = {
  ...sampled,
  options: ['samples', 'proposal', 'power', 'sharing', 'head', 'rule'],
  defaults: { ...sampled.defaults, head: 0 },
  name: 'sampled',
  description: 'softmax whose sum over all classes is estimated from drawn ones',
  create: (backend, sizes, choice) => createSampledSoftmaxLayer(backend, sampledLayerOptions(sizes, choice)),
  training: {
    lossOptions: {},
    initialScale: 0.01,
    outputRate: 2,
    bodyRate: 10,
    outputRates: { adagrad: 0.05 },
  },
  abilities: sampledAbilities,
};

export const nceEntry: OutputLayerEntry<OfKind<SampledChoice, 'nce'>> = {
  ...sampled,
  name: 'nce',
  description: 'noise-contrastive estimation: targets told from drawn classes, with their probabilities',
  create: (backend, sizes, choice) => createNoiseContrastiveLayer(backend, sampledLayerOptions(sizes, choice)),
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  abilities: sampledAbilities,
};

export const negativeEntry: OutputLayerEntry<OfKind<SampledChoice, 'negative'>> = {
  ...sampled,
  name: 'negative',
  description: 'negative sampling: targets told from drawn classes, for word vectors',
  create: (backend, sizes, choice) => createNegativeSamplingLayer(backend, sampledLayerOptions(sizes, choice)),
  // With unigram samples it learns association, and ranks rare words first.
  defaults: { ...sampled.defaults, proposal: 'uniform' },
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 1, bodyRate: 2.5 },
  abilities: { ...sampledAbilities, probabilities: 'no' },
};

const kernelAbilities: OutputLayerEntry<KernelSampledChoice>['abilities'] = {
  probabilities: 'yes',
  targetWeights: () => 'shares',
  overRanks: false,
  rowsOverRanks: 'it draws by the class vectors of one process; take `sampled`',
  addsClasses: false,
};

export const randomFourierEntry: OutputLayerEntry<OfKind<KernelSampledChoice, 'rf'>> = {
  name: 'rf',
  description: 'sampled softmax whose samples random Fourier features draw near the model; patented',
  create: (backend, sizes, choice) => {
    const { samples, temperature, frequencies, nu } = choice;
    return createRandomFourierSoftmaxLayer(backend, {
      ...softmaxLayerOptions(sizes, choice),
      samples,
      ...(temperature === undefined ? {} : { temperature }),
      ...(frequencies === undefined ? {} : { frequencies }),
      ...(nu === undefined ? {} : { nu }),
    });
  },
  options: ['samples', 'temperature', 'frequencies', 'nu', 'rule'],
  defaults: { samples: 100, frequencies: 512, nu: 4, rule: { name: 'sgd' } },
  // Its logits are cosines, whose gradients are the smaller the longer the vectors.
  training: { lossOptions: {}, initialScale: 0.1, outputRate: 16, bodyRate: 10 },
  cost: {
    step: 'O(mnR log D) for n samples of each example and R features',
    growth: 'log D',
    operations: factoredOperations,
  },
  abilities: kernelAbilities,
};

export const quadraticEntry: OutputLayerEntry<OfKind<KernelSampledChoice, 'quadratic'>> = {
  name: 'quadratic',
  description: 'sampled softmax whose samples a quadratic kernel draws near the model',
  create: (backend, sizes, choice) => {
    const { samples, temperature, alpha } = choice;
    return createQuadraticSoftmaxLayer(backend, {
      ...softmaxLayerOptions(sizes, choice),
      samples,
      ...(temperature === undefined ? {} : { temperature }),
      ...(alpha === undefined ? {} : { alpha }),
    });
  },
  options: ['samples', 'temperature', 'alpha', 'rule'],
  defaults: { samples: 100, alpha: 100, rule: { name: 'sgd' } },
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  cost: { step: 'O(mnd² log D) for n samples of each example', growth: 'log D', operations: factoredOperations },
  abilities: kernelAbilities,
};
