/** Held-out text as examples for evaluation: in a fixed shuffled order, so that the first n are a fair sample of the whole. */
import type { LanguageModel } from '@vastmax/lm-models';
import { NgramBatches } from '@vastmax/sparse-data';
import type { TextSettings } from './text-settings.ts';

export function evaluationBatches(model: LanguageModel, tokens: Int32Array, text: TextSettings): NgramBatches {
  return new NgramBatches({
    tokens,
    classes: model.vocabulary.size,
    order: model.body.options.order,
    batchSize: 256,
    paddingId: model.vocabulary.idOf(text.endOfLine) ?? 0,
    seed: 0,
  });
}

/** The targets that an evaluation of the same batches ranks. */
export function collectTargets(batches: NgramBatches, limit: number): Int32Array {
  const targets = new Int32Array(Math.min(limit, batches.examplesPerEpoch));
  for (let collected = 0; collected < targets.length; ) {
    const batch = batches.next();
    const taken = Math.min(batch.size, targets.length - collected);
    targets.set(batch.targetIds.subarray(0, taken), collected);
    collected += taken;
  }
  return targets;
}
