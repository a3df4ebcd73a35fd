/** A model's ranks on a held-out text beside the unigram baseline's on the same words, with progress. */
import { unigramBaseline, type RankingMetrics } from '@vastmax/lm-models';
import { count, metricsTable } from './display.ts';
import { Progress } from './progress.ts';
import type { TextModel } from './text-model.ts';
import type { TextSettings } from './text-settings.ts';
import { UsageError } from './usage-error.ts';

export interface TextEvaluation {
  readonly model: RankingMetrics;
  readonly unigram: RankingMetrics;
}

/**
 * @param limit how many words at most, a sample that is the same each time; 0 for all.
 * @throws UsageError for a model that ranks no words.
 */
export async function evaluateText(
  model: TextModel,
  tokens: Int32Array,
  text: TextSettings,
  limit: number,
  signal: AbortSignal,
): Promise<TextEvaluation> {
  const { evaluate } = model;
  if (evaluate === undefined)
    throw new UsageError(
      `a ${model.examples.model} model predicts the words around a word, of which none is the right one to rank; look at its neighbors instead`,
    );
  using progress = new Progress('evaluating');
  const targets: number[] = [];
  const metrics = await evaluate(
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
