/** A model's word vectors against people's judgements of how alike two words are. */
import {
  evaluateWordSimilarity,
  readClassVectors,
  readEmbeddings,
  readWordPairs,
  type VectorKind,
  type WordSimilarity,
} from '@vastmax/lm-models';
import { readLines } from '@vastmax/sparse-data/node';
import { count, table } from './display.ts';
import type { TextModel } from './text-model.ts';
import { inLetterCase, type TextSettings } from './text-settings.ts';

/** Of the embeddings that a model reads, and of the output layer's vectors that it predicts with. */
export type SimilarityEvaluation = Readonly<Record<VectorKind, WordSimilarity>>;

/**
 * Words are looked up in the letter case of the training text; a pair with an unknown word is left out, which the
 * coverage tells. O(words of the file · d²).
 * @param path two words and a score a line, separated by tabs.
 * @throws SparseDataError naming the line that is no pair.
 */
export async function evaluateSimilarity(
  { vocabulary, embeddings, output }: TextModel,
  text: TextSettings,
  path: string,
  signal: AbortSignal,
): Promise<SimilarityEvaluation> {
  const pairs = (await readWordPairs(readLines(path, { signal }), { name: path })).map(({ first, second, score }) => ({
    first: inLetterCase(text, first),
    second: inLetterCase(text, second),
    score,
  }));
  const words = [...new Set(pairs.flatMap(({ first, second }) => [first, second]))].filter((word) =>
    vocabulary.has(word),
  );
  const ids = Int32Array.from(words, (word) => vocabulary.idOf(word) ?? 0);
  const of = (vectors: readonly Float64Array[]): WordSimilarity => {
    const vectorOf = new Map(words.map((word, place) => [word, vectors[place]]));
    return evaluateWordSimilarity(pairs, (word) => vectorOf.get(word));
  };
  return { input: of(await readEmbeddings(embeddings.table, ids)), output: of(await readClassVectors(output, ids)) };
}

export function describeSimilarity(what: string, { input, output }: SimilarityEvaluation): string {
  const row = (name: string, { correlation }: WordSimilarity): string[] => [
    name,
    Number.isNaN(correlation) ? '-' : correlation.toFixed(3),
  ];
  const { covered, pairs, coverage } = input;
  return `${what}, ${count(covered)} of ${count(pairs)} pairs (${(100 * coverage).toFixed(1)} %):\n${table([['', "Spearman's rho"], row('embeddings', input), row('output vectors', output)])}\n`;
}
