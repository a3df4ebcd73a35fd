/**
 * The registry's entries of the layers with an exact gradient at a cost that does not depend on the number of classes,
 * or hardly.
 */
import { createHybridOutputLayer, type HybridOutputLayer, type HybridOutputLayerOptions } from '@vastmax/hybrid-layer';
import {
  createBuiltInLoss,
  createFactoredOutputLayer,
  type FactoredOutputLayer,
  sphericalSoftmax,
  taylorSoftmax,
  type SphericalLoss,
} from '@vastmax/spherical-losses';
import { asBadOption, ModelError } from '../model-error.ts';
import type { FactoredChoice, HybridChoice } from './output-layer-choice.ts';
import type { OutputLayerEntry, OutputLayerSizes, StepSizes, TrainingDefaults } from './output-layer-entry.ts';

const losses = {
  'z-loss': { lossOptions: { a: 0.1, b: 10 }, initialScale: 0.01, outputRate: 1, bodyRate: 10 },
  'spherical-softmax': { lossOptions: { epsilon: 1 }, initialScale: 0.003, outputRate: 20, bodyRate: 10 },
  'taylor-softmax': { lossOptions: {}, initialScale: 0.003, outputRate: 20, bodyRate: 10 },
  'squared-error': { lossOptions: { targetValue: 10 }, initialScale: 0.001, outputRate: 0.02, bodyRate: 1 },
  implicit: { lossOptions: { unobservedWeight: 0.01 }, initialScale: 0.01, outputRate: 1, bodyRate: 1 },
  // With one target an example a pull of 1 draws every class that ever follows to the same output.
  rg2: { lossOptions: { pull: 0.002 }, initialScale: 0.01, outputRate: 20, bodyRate: 1 },
  rgx: { lossOptions: { pull: 0.002, interaction: 0.01 }, initialScale: 0.01, outputRate: 20, bodyRate: 1 },
} satisfies Readonly<Record<string, TrainingDefaults>>;

/**
 * Operations of a factored step: products of the class vectors with d×d matrices, and the cheaper form of its small
 * systems.
 */
export function factoredOperations({ width: d, batch: m }: StepSizes): number {
  return 14 * m * d * d + Math.min(8 * m * m * d + (2 / 3) * m ** 3, 11 * d ** 3 + 4 * m * d * d);
}

/** @throws ModelError `bad-option` for an unknown name or a bad option. */
export function createLoss({ name, options }: FactoredChoice['loss']): SphericalLoss {
  return asBadOption(() => createBuiltInLoss(name, options));
}

export const factoredEntry: OutputLayerEntry<FactoredChoice> = {
  name: 'factored',
  description: 'all classes by a spherical loss, with the exact gradient',
  create: (backend, { features, frequencies }, { loss, initialScale, seed, weightDecay, precondition }) =>
    createFactoredOutputLayer(backend, {
      classes: frequencies.length,
      features,
      loss: createLoss(loss),
      initialScale,
      seed,
      ...(weightDecay === undefined ? {} : { weightDecay }),
      // The layer refuses other powers.
      ...(precondition === undefined ? {} : { preconditioner: { power: precondition as 0.5 | 1 } }),
    }),
  options: ['weightDecay', 'precondition'],
  defaults: {},
  training: losses['z-loss'],
  losses,
  cost: { step: '14md² + 8m²d + ⅔m³', growth: 'not at all', operations: factoredOperations },
  abilities: {
    probabilities: 'spherical-softmax and taylor-softmax',
    targetWeights: ({ loss }) => (loss.name === 'squared-error' || loss.name === 'implicit' ? 'given' : 'shares'),
    overRanks: true,
    rowsOverRanks: 'a class on one rank',
    refusedOverRanks: ({ precondition }) =>
      precondition === undefined ? undefined : { option: 'precondition', reason: 'has no preconditioned step' },
    addsClasses: true,
  },
  addClasses: (layer, { values }) => {
    (layer as FactoredOutputLayer).addClasses(values);
  },
};

/** Options of the layer of a choice. */
export function hybridLayerOptions(sizes: OutputLayerSizes, choice: HybridChoice): HybridOutputLayerOptions {
  const { initialScale, seed, headSize, cutoffs, tail, shortlist, priorPower, tailLoss, headRate, tailRate } = choice;
  return {
    ...sizes,
    initialScale,
    seed,
    ...(headSize === undefined ? {} : { headSize }),
    ...(cutoffs === undefined ? {} : { tailCutoffs: cutoffs }),
    ...(tail === undefined ? {} : { tail }),
    ...(shortlist === undefined ? {} : { shortlist }),
    ...(priorPower === undefined ? {} : { priorPower }),
    ...(tailLoss === undefined ? {} : { tailLoss: tailLosses[tailLoss] }),
    ...(headRate === undefined ? {} : { headRate }),
    ...(tailRate === undefined ? {} : { tailRate }),
  };
}

export const hybridEntry: OutputLayerEntry<HybridChoice> = {
  name: 'hybrid',
  description: 'a dense softmax over the F most frequent classes, a tree of softmaxes over the others',
  create: (backend, sizes, choice) => createHybridOutputLayer(backend, hybridLayerOptions(sizes, choice)),
  options: ['headSize', 'cutoffs', 'tail', 'shortlist', 'priorPower', 'tailLoss', 'headRate', 'tailRate'],
  defaults: { tail: 'tree', headRate: 2, tailRate: 6 },
  training: { lossOptions: {}, initialScale: 0.01, outputRate: 1, bodyRate: 10 },
  cost: {
    step: '6mFd, and 6nd for an example of the tail, whose tree has n rows on a path',
    growth: 'log D, in the tail',
    operations: (sizes, { headSize, tail }) => {
      // Of the order of a factored step, for either tail.
      const ofTail = factoredOperations(sizes);
      // A head whose size is not given is chosen for four times the cost of a factored layer; half of it in a tree.
      const { batch, classes, width } = sizes;
      const ofHead = tail === 'spherical' ? 4 * ofTail : 2 * ofTail;
      return ofTail + (headSize === undefined ? ofHead : 6 * batch * Math.min(classes, headSize) * width);
    },
  },
  abilities: {
    probabilities: 'yes',
    targetWeights: () => 'shares',
    overRanks: true,
    rowsOverRanks:
      'the head and the root on every rank, a subtree below the root, or a class of a spherical tail, on one',
    addsClasses: true,
  },
  addClasses: (layer, { values }, { tail }) => {
    // Those of the prior are not known.
    if (tail === 'spherical')
      throw new ModelError(
        'unsupported',
        'hybrid: a spherical tail needs the constant of each new class; call its addClasses',
      );
    (layer as HybridOutputLayer).addClasses(values);
  },
};

const tailLosses = {
  'spherical-softmax': (epsilon: Float64Array): SphericalLoss => sphericalSoftmax({ epsilon }),
  'taylor-softmax': (): SphericalLoss => taylorSoftmax(),
} as const;
