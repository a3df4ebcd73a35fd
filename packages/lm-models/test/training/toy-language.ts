/**
 * A language with a rule that can be learned: after word n comes word 3n + 1 modulo 29, and one word in ten is random.
 */
import type { Backend } from '@vastmax/linalg-core';
import {
  createNetwork,
  trainingDefaults,
  type NetworkOptions,
  type NetworkSizes,
  type NgramNetwork,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { NgramBatches, RandomGenerator, VocabularyCounter, type Vocabulary } from '@vastmax/sparse-data';

const toyWords = 29;
export const toyVocabulary: Vocabulary = countWords(toyText(3000, 1));
export const toySizes: NetworkSizes = { inputs: toyVocabulary.size, frequencies: toyVocabulary.counts };

/** The word that follows. */
export function toyNext(word: string): string {
  return `w${(3 * Number(word.slice(1)) + 1) % toyWords}`;
}

function toyText(length: number, seed: number): string[] {
  const random = new RandomGenerator(seed);
  const text: string[] = [];
  for (let i = 0, word = 'w0'; i < length; i++) {
    text.push(word);
    word = random.uniform() < 0.1 ? `w${random.integer(toyWords)}` : toyNext(word);
  }
  return text;
}

function countWords(text: readonly string[]): Vocabulary {
  const counter = new VocabularyCounter();
  counter.addAll(text);
  return counter.build();
}

/** @param seed 1 is the text that the vocabulary was counted in. */
export function toyTokens(length: number, seed = 1): Int32Array {
  return Int32Array.from(toyText(length, seed), (word) => toyVocabulary.idOf(word) ?? -1);
}

export interface ToyBatchesOptions {
  readonly examples?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly shuffle?: boolean;
  /** Seed of the text itself. */
  readonly text?: number;
}

export function toyBatches(options: ToyBatchesOptions = {}): NgramBatches {
  const { examples = 3000, batchSize = 32, seed = 4, shuffle = true, text = 1 } = options;
  return new NgramBatches({
    tokens: toyTokens(examples, text),
    classes: toyWords,
    order: 2,
    batchSize,
    paddingId: 0,
    seed,
    shuffle,
  });
}

export function toyModelOptions(
  loss: string,
  changes: { readonly seed?: number; readonly dropout?: number } = {},
): NetworkOptions<'ngram'> {
  const { seed = 1, dropout = 0 } = changes;
  const { lossOptions, initialScale } = trainingDefaults(loss);
  return {
    body: { kind: 'ngram', order: 2, embedding: 6, hidden: [12], seed, dropout },
    output: { kind: 'factored', loss: { name: loss, options: lossOptions }, initialScale, seed: seed + 1 },
  };
}

export function createToyModel(
  backend: Backend,
  loss: string,
  changes: { readonly seed?: number; readonly dropout?: number } = {},
): Promise<NgramNetwork> {
  return createNetwork(backend, toySizes, toyModelOptions(loss, changes));
}

/** For so few words the rates of trainingDefaults are high; these are as stable as those are for thirty thousand. */
const toyRates: Readonly<Record<string, { readonly outputRate: number; readonly bodyRate: number }>> = {
  'z-loss': { outputRate: 0.2, bodyRate: 2 },
  'spherical-softmax': { outputRate: 20, bodyRate: 10 },
  'taylor-softmax': { outputRate: 4, bodyRate: 2 },
  'squared-error': { outputRate: 0.02, bodyRate: 1 },
};

export function toyTraining(loss: string, changes: Partial<TrainingOptions> = {}): TrainingOptions {
  const { bodyRate, outputRate } = toyRates[loss] ?? trainingDefaults(loss);
  return { bodyRate, outputRate, optimizer: 'sgd', schedule: 'linear', examples: 6400, ...changes };
}
