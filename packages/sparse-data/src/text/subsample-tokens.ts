import { SparseDataError } from '../errors.ts';
import { mix32, seedWord } from '../random/random.ts';
import { checkInteger, show } from '../errors.ts';

export interface SubsampleOptions {
  /** t, a share of the text: words that make up more of it are thinned out. word2vec takes 1e-3 … 1e-5. */
  readonly threshold: number;
  /** An integer in [0, 2^53); default 0. */
  readonly seed?: number;
}

/**
 * The text without most occurrences of its most frequent words: a word that makes up the share f is kept with
 * probability √(t/f) + t/f (word2vec's code; arXiv:1310.4546 §2.3 has a near relative). Words move closer together, so
 * that windows reach further. O(tokens).
 * @param counts how often each class occurs; a class of count 0 is kept.
 * @throws SparseDataError `bad-option`.
 */
export function subsampleTokens(tokens: Int32Array, counts: ArrayLike<number>, options: SubsampleOptions): Int32Array {
  const { threshold, seed = 0 } = options;
  if (!(threshold > 0 && threshold <= 1)) {
    throw new SparseDataError(
      'bad-option',
      `subsampleTokens: threshold is ${show(threshold)}; a share above 0 and at most 1 is needed`,
    );
  }
  checkInteger('subsampleTokens', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  let total = 0;
  for (let k = 0; k < counts.length; k++) total += counts[k]!;
  const kept = Float64Array.from(counts, (count) => {
    const ratio = (threshold * total) / count;
    return Math.sqrt(ratio) + ratio;
  });
  const key = seedWord(seed, 0);
  return tokens.filter((token, position) => (mix32(key ^ mix32(position + 1)) >>> 0) / 2 ** 32 < (kept[token] ?? 1));
}
