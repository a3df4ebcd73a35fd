/**
 * Rates and update rules that train a classifier, a bag of features below any output layer, whatever the numbers of
 * labels, features and examples (mathematics.md §7). Measured on Bibtex, Delicious and 200,000 labels of generated texts
 * (docs/experiments.md).
 */
import { trainingDefaults } from '../output-layers/registry.ts';

/** Rates and rules of a classifier unless others are given. */
export interface ClassifierTraining {
  readonly outputRate: number;
  /** Update rule of the output layer's weights, where the layer has a choice. */
  readonly outputRule: string | undefined;
  readonly bodyRate: number;
  /** Of the body. */
  readonly optimizer: 'adam';
}

interface OutputDefaults {
  readonly rate: number;
  readonly rule?: string;
}

const outputs: Readonly<Record<string, OutputDefaults>> = {
  'z-loss': { rate: 1 },
  'squared-error': { rate: 0.1 },
  'spherical-softmax': { rate: 32 },
  'taylor-softmax': { rate: 32 },
  full: { rate: 8 },
  hierarchical: { rate: 0.1, rule: 'adagrad' },
  // The nodes near the root of a Huffman tree are in every example, those near the leaves in few.
  huffman: { rate: 0.1, rule: 'adagrad' },
  sampled: { rate: 0.1, rule: 'adagrad' },
};

/** Of Adagrad and Adam, whose steps have their rate's size whatever the gradient. */
const ownRates: Readonly<Record<string, number>> = { adagrad: 0.1, adam: 0.003 };

/** R of the body's rate R/√T, and where it ends: a row that is updated twice must not be thrown far. */
const distance = 0.3;
const [lowestRate, highestRate] = [0.001, 0.05];

/**
 * @param name of the loss of the factored layer, or of another output layer.
 * @param data.updates T, how often a feature occurs in the whole run on average: entries · epochs / features that occur.
 * @param data.outputRule the update rule of the output layer, if it is not to be the default.
 * @throws ModelError `bad-option` for an unknown name.
 */
export function classifierTraining(
  name: string,
  { updates, outputRule }: { readonly updates: number; readonly outputRule?: string | undefined },
): ClassifierTraining {
  const { outputRate } = trainingDefaults(name, outputRule);
  const { rate, rule }: OutputDefaults = Object.hasOwn(outputs, name) ? outputs[name]! : { rate: outputRate };
  const bodyRate = Math.min(highestRate, Math.max(lowestRate, distance / Math.sqrt(Math.max(1, updates))));
  return {
    outputRate:
      outputRule === undefined || outputRule === rule
        ? rate
        : (ownRates[outputRule] ?? (rule === undefined ? rate : outputRate)),
    outputRule: outputRule ?? rule,
    // Two digits, for people to repeat.
    bodyRate: Number(bodyRate.toPrecision(2)),
    optimizer: 'adam',
  };
}
