/** The registry's entries of the layers that score all classes, or a tree of them. */
import {
  createAdaptiveSoftmaxLayer,
  createFullSoftmaxLayer,
  createHierarchicalSoftmaxLayer,
  createHuffmanSoftmaxLayer,
  type FullSoftmaxLayer,
  type SoftmaxLayerOptions,
} from '@vastmax/softmax-losses';
import { createUpdateRule, type UpdateRule } from '@vastmax/update-rules';
import { asBadOption } from '../model-error.ts';
import { factoredOperations } from './factored-layers.ts';
import type { AdaptiveChoice, AnySoftmaxChoice, FullChoice, TreeChoice } from './output-layer-choice.ts';
import type { OutputLayerEntry, OutputLayerSizes } from './output-layer-entry.ts';

/** What all softmax layers take. */
export function softmaxLayerOptions(
  { features, frequencies }: OutputLayerSizes,
  { initialScale, seed, rule }: AnySoftmaxChoice,
): SoftmaxLayerOptions {
  return {
    classes: frequencies.length,
    features,
    initialScale,
    seed,
    ...(rule === undefined ? {} : { rule: createRule(rule) }),
  };
}

/** @throws ModelError `bad-option` for an unknown name or a bad option. */
export function createRule({ name, options }: NonNullable<AnySoftmaxChoice['rule']>): UpdateRule {
  return asBadOption(() => createUpdateRule(name, options));
}

/** Of the full softmax, label smoothing apart. It starts with its biases at the log of the unigram probabilities. */
export function fullLayerOptions(
  sizes: OutputLayerSizes,
  choice: FullChoice,
): SoftmaxLayerOptions & { readonly initialBiases: Float64Array } {
  return { ...softmaxLayerOptions(sizes, choice), initialBiases: logUnigram(sizes.frequencies) };
}

/**
 * What biases start from: a class that never occurred counts as half an occurrence, so that the log is finite. O(D).
 */
export function logUnigram(frequencies: Float64Array): Float64Array {
  const counts = frequencies.map((count) => Math.max(0.5, count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => Math.log(count / total));
}

const rule = { name: 'sgd' } as const;

export const fullEntry: OutputLayerEntry<FullChoice> = {
  name: 'full',
  description: 'log-softmax over all classes',
  create: (backend, sizes, choice) => {
    const { labelSmoothing } = choice;
    return createFullSoftmaxLayer(backend, {
      ...fullLayerOptions(sizes, choice),
      ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
    });
  },
  options: ['labelSmoothing', 'rule'],
  defaults: { labelSmoothing: 0, rule },
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  cost: {
    step: '8mDd',
    growth: 'D',
    // Without the scores that the backward pass computes once more.
    operations: ({ batch, classes, width }) => 6 * batch * classes * width,
  },
  abilities: {
    probabilities: 'yes',
    targetWeights: () => 'shares',
    overRanks: true,
    rowsOverRanks: 'a class on one rank, which scores it for the examples of all',
    refusedOverRanks: ({ labelSmoothing = 0 }) =>
      labelSmoothing > 0 ? { option: 'labelSmoothing', reason: 'has no label smoothing' } : undefined,
    addsClasses: true,
  },
  addClasses: (layer, { values }) => {
    (layer as FullSoftmaxLayer).change('addClasses', (method) => {
      method.addClasses(values);
    });
  },
};

/**
 * What these layers do is bound by gathered rows more than by products: taken for a factored step, of whose order they
 * are.
 */
const asFactored = factoredOperations;

/** Options of the layer of a choice. */
export function hierarchicalLayerOptions(
  sizes: OutputLayerSizes,
  choice: TreeChoice,
): SoftmaxLayerOptions & { readonly frequencies: Float64Array } {
  return { ...softmaxLayerOptions(sizes, choice), frequencies: sizes.frequencies };
}

export const hierarchicalEntry: OutputLayerEntry<TreeChoice & { readonly kind: 'hierarchical' }> = {
  name: 'hierarchical',
  description: 'a softmax over √D clusters, then over the classes of one',
  create: (backend, sizes, choice) => createHierarchicalSoftmaxLayer(backend, hierarchicalLayerOptions(sizes, choice)),
  options: ['rule'],
  defaults: { rule },
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  cost: { step: '12m√D·d', growth: '√D', operations: asFactored },
  abilities: {
    probabilities: 'yes',
    targetWeights: () => 'shares',
    overRanks: true,
    rowsOverRanks: 'the clusters on every rank, the classes of a cluster on one',
    addsClasses: false,
  },
};

export const huffmanEntry: OutputLayerEntry<TreeChoice & { readonly kind: 'huffman' }> = {
  name: 'huffman',
  description: 'a binary decision at each node of a Huffman tree',
  create: (backend, sizes, choice) =>
    createHuffmanSoftmaxLayer(backend, { ...softmaxLayerOptions(sizes, choice), frequencies: sizes.frequencies }),
  options: ['rule'],
  defaults: { rule },
  // Nodes start at 0, as in word2vec and fastText: every decision is even, and D·d normal numbers need not be drawn.
  training: { lossOptions: {}, initialScale: 0, outputRate: 1, bodyRate: 10 },
  cost: { step: '6mLd for codes of L bits', growth: 'log D', operations: asFactored },
  abilities: {
    probabilities: 'yes',
    targetWeights: () => 'shares',
    overRanks: false,
    rowsOverRanks: 'its paths of log₂ D nodes begin with the same few, which every rank would fetch; take `hybrid`',
    addsClasses: false,
  },
};

export const adaptiveEntry: OutputLayerEntry<AdaptiveChoice> = {
  name: 'adaptive',
  description: 'a softmax over a shortlist and clusters, whose classes have fewer features the rarer they are',
  create: (backend, sizes, choice) => {
    const { cutoffs, divValue } = choice;
    return createAdaptiveSoftmaxLayer(backend, {
      ...softmaxLayerOptions(sizes, choice),
      frequencies: sizes.frequencies,
      headBias: true,
      ...(cutoffs === undefined ? {} : { cutoffs }),
      ...(divValue === undefined ? {} : { divValue }),
    });
  },
  options: ['cutoffs', 'divValue', 'rule'],
  defaults: { divValue: 4, rule },
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  cost: { step: '6mHd for a shortlist of H, and the clusters touched', growth: 'D', operations: asFactored },
  abilities: {
    probabilities: 'yes',
    targetWeights: () => 'shares',
    overRanks: false,
    rowsOverRanks: 'a tail is scored whole, so that a step grows with D on every rank; take `hybrid`',
    addsClasses: false,
  },
};
