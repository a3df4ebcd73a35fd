/** The most likely next words after prompts of a model of any kind. */
import type { NextWord } from '@vastmax/lm-models';
import { topK } from '@vastmax/output-layer';
import type { TextModel } from './text-model.ts';
import type { TextSettings } from './text-settings.ts';

export interface NextWordOptions {
  readonly top: number;
  /** Only words with a score of at least this. */
  readonly threshold?: number;
}

/**
 * Best first, a list for each prompt. Words that the vocabulary lacks count as its word for unknown ones. O(prompts ·
 * vocabulary · width).
 */
export async function predictNextWords(
  model: TextModel,
  { endOfLine }: TextSettings,
  prompts: readonly (readonly string[])[],
  { top, threshold = -Infinity }: NextWordOptions,
): Promise<NextWord[][]> {
  const { vocabulary, output } = model;
  const idOf = (word: string): number => vocabulary.idOf(word) ?? 0;
  const hidden = model.computePromptHidden(
    prompts.map((words) => words.map(idOf)),
    idOf(endOfLine),
  );
  const { k, classes, scores } = await topK(output, hidden, Math.min(top, vocabulary.size));
  return prompts.map((_, row) => {
    const best = Array.from(classes.subarray(row * k, (row + 1) * k), (id, place) => ({
      word: vocabulary.tokenOf(id),
      score: scores[row * k + place] ?? -Infinity,
    }));
    return best.filter(({ score }) => score >= threshold);
  });
}
