/**
 * A start that trains, for an n-gram model of width about 128 and minibatches of 256 with plain SGD
 * (docs/experiments.md).
 */
import { ModelError } from '../model-error.ts';
import { outputLayerNames } from './output-layer-choice.ts';

export interface TrainingDefaults {
  /** Of the spherical loss; empty for other layers. */
  readonly lossOptions: Readonly<Record<string, number>>;
  readonly initialScale: number;
  readonly outputRate: number;
  readonly bodyRate: number;
}

const factoredDefaults: Readonly<Record<string, TrainingDefaults>> = {
  'z-loss': { lossOptions: { a: 0.1, b: 10 }, initialScale: 0.01, outputRate: 1, bodyRate: 10 },
  'spherical-softmax': { lossOptions: { epsilon: 1 }, initialScale: 0.003, outputRate: 20, bodyRate: 10 },
  'taylor-softmax': { lossOptions: {}, initialScale: 0.003, outputRate: 20, bodyRate: 10 },
  'squared-error': { lossOptions: { targetValue: 10 }, initialScale: 0.001, outputRate: 0.02, bodyRate: 1 },
};

const otherDefaults: Readonly<Record<string, TrainingDefaults>> = {
  // The rates of its parts are factors of 2 and 15 on this one.
  hybrid: { lossOptions: {}, initialScale: 0.01, outputRate: 1, bodyRate: 10 },
  full: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  hierarchical: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  huffman: { lossOptions: {}, initialScale: 0.01, outputRate: 1, bodyRate: 10 },
  adaptive: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  sampled: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  nce: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
  negative: { lossOptions: {}, initialScale: 0.01, outputRate: 1, bodyRate: 2.5 },
  // Its logits are cosines, whose gradients are the smaller the longer the vectors.
  rf: { lossOptions: {}, initialScale: 0.1, outputRate: 16, bodyRate: 10 },
  quadratic: { lossOptions: {}, initialScale: 0.01, outputRate: 2, bodyRate: 10 },
};

/** @param name a loss of the factored layer, or another output layer. @throws ModelError `bad-option` for an unknown name. */
export function trainingDefaults(name: string): TrainingDefaults {
  for (const table of [factoredDefaults, otherDefaults]) {
    const found = Object.hasOwn(table, name) ? table[name] : undefined;
    if (found !== undefined) return found;
  }
  throw new ModelError(
    'bad-option',
    `no loss or output layer is called '${name}'; there are the losses ${Object.keys(factoredDefaults).join(', ')} ` +
      `and the layers ${outputLayerNames.filter((layer) => layer !== 'factored').join(', ')}`,
  );
}
