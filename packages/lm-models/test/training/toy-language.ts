/** A language with a rule that can be learned: after word w comes 3w + 1 modulo the vocabulary, and one word in ten is random. */
import type { Backend } from '@vastmax/linalg-core';
import { createLanguageModel, trainingDefaults, type LanguageModel, type LanguageModelOptions, type TrainingOptions } from '@vastmax/lm-models';
import { NgramBatches, RandomGenerator, Vocabulary } from '@vastmax/sparse-data';

export const toyWords = 29;
export const toyVocabulary: Vocabulary = vocabularyOf(toyTokens(3000, 1), toyWords);

export function toyTokens(count: number, seed: number): Int32Array {
  const random = new RandomGenerator(seed);
  const tokens = new Int32Array(count);
  for (let i = 1; i < count; i++) {
    tokens[i] = random.uniform() < 0.1 ? random.integer(toyWords) : (3 * tokens[i - 1]! + 1) % toyWords;
  }
  return tokens;
}

/** Word numbers as they are, with falling counts (sorted apart from the words, which no test of a toy language looks at). */
function vocabularyOf(tokens: Int32Array, size: number): Vocabulary {
  const counts = Array.from({ length: size }, () => 0);
  for (const token of tokens) counts[token]!++;
  return new Vocabulary({ tokens: counts.map((_, word) => `w${word}`), counts: counts.sort((a, b) => b - a) });
}

export function toyBatches(options: { readonly examples?: number; readonly batchSize?: number; readonly seed?: number; readonly shuffle?: boolean } = {}): NgramBatches {
  const { examples = 3000, batchSize = 32, seed = 4, shuffle = true } = options;
  return new NgramBatches({ tokens: toyTokens(examples, 1), classes: toyWords, order: 2, batchSize, paddingId: 0, seed, shuffle });
}

export function toyModelOptions(loss: string, changes: { readonly seed?: number; readonly dropout?: number } = {}): LanguageModelOptions {
  const { seed = 1, dropout = 0 } = changes;
  const { lossOptions, initialScale } = trainingDefaults(loss);
  return {
    body: { order: 2, embedding: 6, hidden: [12], seed, dropout },
    output: { kind: 'factored', loss: { name: loss, options: lossOptions }, initialScale, seed: seed + 1 },
  };
}

export function createToyModel(
  backend: Backend,
  loss: string,
  changes: { readonly seed?: number; readonly dropout?: number } = {},
): Promise<LanguageModel> {
  return createLanguageModel(backend, toyVocabulary, toyModelOptions(loss, changes));
}

export function toyTraining(loss: string, changes: Partial<TrainingOptions> = {}): TrainingOptions {
  const { bodyRate, outputRate } = trainingDefaults(loss);
  return { bodyRate, outputRate, optimizer: 'sgd', schedule: 'linear', examples: 6400, ...changes };
}
