/** One of the most likely next words by chance, for texts that are not always the same. */
import type { RandomGenerator } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { NextWord } from './next-words.ts';

/** How {@link drawNextWord} draws. */
export interface DrawOptions {
  /** Scores are divided by it: below 1 likely words become likelier, above 1 less so. 1 unless given. */
  readonly temperature?: number;
  /**
   * Only the most likely words whose probabilities together reach this are drawn from (arXiv:1904.09751 §3.1), from
   * above 0 to 1; 1 unless given.
   */
  readonly topP?: number;
}

/**
 * A word of the list, drawn with probabilities ∝ e^(score/temperature). They are those of the model among these words
 * where its output layer is normalised; else the scores are taken as if they were logarithms of probabilities.
 * @param words best first, as predictNextWords gives them; at least one.
 * @throws ModelError `bad-option`.
 */
export function drawNextWord(words: readonly NextWord[], random: RandomGenerator, options: DrawOptions = {}): NextWord {
  const { temperature = 1, topP = 1 } = options;
  if (!(temperature > 0) || temperature === Infinity)
    throw new ModelError('bad-option', `drawNextWord: temperature must be a finite number above 0, got ${temperature}`);
  if (!(topP > 0 && topP <= 1))
    throw new ModelError('bad-option', `drawNextWord: topP must be above 0 and at most 1, got ${topP}`);
  const [best] = words;
  if (best === undefined) throw new ModelError('bad-option', 'drawNextWord: the list is empty; give at least one word');
  const shares = words.map(({ score }) => Math.exp((score - best.score) / temperature));
  const total = shares.reduce((sum, share) => sum + share, 0);
  let kept = 0;
  let count = 0;
  while (count < words.length && kept < topP * total) kept += shares[count++]!;
  let left = random.uniform() * kept;
  for (let i = 0; i < count; i++) {
    left -= shares[i]!;
    if (left < 0) return words[i]!;
  }
  return words[count - 1] ?? best;
}
