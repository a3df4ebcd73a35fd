/** A model's ranks on a held-out text beside the unigram baseline's on the same words, with progress. */
import { evaluateRanking, unigramBaseline, type LanguageModel, type RankingMetrics } from '@vastmax/lm-models';
import { NgramBatches } from '@vastmax/sparse-data';
import { count, metricsTable } from './display.ts';
import { Progress } from './progress.ts';
import type { TextSettings } from './text-settings.ts';

export interface TextEvaluation {
  readonly model: RankingMetrics;
  readonly unigram: RankingMetrics;
}

/** @param limit how many words at most, a sample that is the same each time; 0 for all. */
export async function evaluateText(
  model: LanguageModel,
  tokens: Int32Array,
  text: TextSettings,
  limit: number,
  signal: AbortSignal,
): Promise<TextEvaluation> {
  using progress = new Progress('evaluating');
  const most = limit === 0 ? Infinity : limit;
  const metrics = await evaluateRanking(model, shuffledBatches(model, tokens, text), {
    limit: most,
    signal,
    onProgress: (done, total) => { progress.update(done / total, [`${count(done)} words`]); },
  });
  return { model: metrics, unigram: unigramBaseline(model.vocabulary, firstTargets(shuffledBatches(model, tokens, text), most)) };
}

export function describeEvaluation(what: string, { model, unigram }: TextEvaluation): string {
  return `${what}, ${count(model.examples)} words:\n${metricsTable([['model', model], ['unigram', unigram]])}\n`;
}

/** In a fixed shuffled order, so that the first n examples are a fair sample of the whole. */
function shuffledBatches(model: LanguageModel, tokens: Int32Array, text: TextSettings): NgramBatches {
  return new NgramBatches({
    tokens,
    classes: model.vocabulary.size,
    order: model.body.options.order,
    batchSize: 256,
    paddingId: model.vocabulary.idOf(text.endOfLine) ?? 0,
    seed: 0,
  });
}

function firstTargets(batches: NgramBatches, limit: number): Int32Array {
  const targets = new Int32Array(Math.min(limit, batches.examplesPerEpoch));
  for (let collected = 0; collected < targets.length; ) {
    const batch = batches.next();
    const taken = Math.min(batch.size, targets.length - collected);
    targets.set(batch.targetIds.subarray(0, taken), collected);
    collected += taken;
  }
  return targets;
}
