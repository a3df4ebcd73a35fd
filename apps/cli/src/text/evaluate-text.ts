/**
 * Evaluates a model over words: its ranks on a held-out text and those of the unigram baseline on the same words, and
 * the correlation of its word vectors with human judgements of word similarity.
 */
import type { VectorKind } from '@vastmax/lm-models';
import { inLetterCase, type TextModel, type TextSettings } from '@vastmax/lm-models/text';
import { readLines } from '@vastmax/sparse-data/node';
import { UsageError } from '../terminal/errors.ts';
import { count, metricsTable, Progress, table } from '../terminal/terminal.ts';
import {
  evaluateWordSimilarity,
  readClassVectors,
  readEmbeddings,
  readWordPairs,
  unigramBaseline,
  type RankingMetrics,
  type WordSimilarity,
} from '@vastmax/lm-models/metrics';

export interface TextEvaluation {
  readonly model: RankingMetrics;
  readonly unigram: RankingMetrics;
}

/**
 * @param limit maximum number of words, a fixed sample; 0 for all.
 * @throws UsageError for a model that ranks no words.
 */
export async function evaluateText(
  model: TextModel,
  tokens: Int32Array,
  text: TextSettings,
  limit: number,
  signal: AbortSignal,
): Promise<TextEvaluation> {
  if (!model.ranksWords)
    throw new UsageError(
      `a ${model.examples.model} model predicts the words around a word, of which none is the right one to rank; look at its neighbors instead`,
    );
  using progress = new Progress('evaluating');
  const targets: number[] = [];
  const metrics = await model.evaluate(
    { tokens, paddingId: model.vocabulary.idOf(text.endOfLine) ?? 0 },
    {
      limit: limit === 0 ? Infinity : limit,
      signal,
      onExample: (target) => {
        targets.push(target);
      },
      onProgress: (done, total) => {
        progress.update(done / total, [`${count(done)} words`]);
      },
    },
  );
  return { model: metrics, unigram: unigramBaseline(model.vocabulary, targets) };
}

export function describeEvaluation(what: string, { model, unigram }: TextEvaluation): string {
  return `${what}, ${count(model.examples)} words:\n${metricsTable([
    ['model', model],
    ['unigram', unigram],
  ])}\n`;
}

/** Results for the embeddings (`input`) and for the output layer's class vectors (`output`). */
export type SimilarityEvaluation = Readonly<Record<VectorKind, WordSimilarity>>;

/**
 * Words are looked up in the letter case of the training text. A pair with an unknown word is left out; `coverage` is
 * the fraction of the other pairs. O(words of the file · d²).
 * @param path two words and a score a line, separated by tabs.
 * @throws SparseDataError naming the line that is no pair.
 */
export async function evaluateSimilarity(
  { vocabulary, network }: TextModel,
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
  return {
    input: of(await readEmbeddings(network.body.embeddings.table, ids)),
    output: of(await readClassVectors(network.output, ids)),
  };
}

export function describeSimilarity(what: string, { input, output }: SimilarityEvaluation): string {
  const row = (name: string, { correlation }: WordSimilarity): string[] => [
    name,
    Number.isNaN(correlation) ? '-' : correlation.toFixed(3),
  ];
  const { covered, pairs, coverage } = input;
  return `${what}, ${count(covered)} of ${count(pairs)} pairs (${(100 * coverage).toFixed(1)} %):\n${table([['', "Spearman's rho"], row('embeddings', input), row('output vectors', output)])}\n`;
}
