import { SparseDataError, checkInteger, show } from '../errors.ts';
import { mix32, seedWord } from '../random/random.ts';

/** The frequency from which words are dropped at random, as word2vec's `sample`. */
export interface SubsampleOptions {
  /**
   * t, a share of the text: occurrences of words with a larger share are removed at random. word2vec uses 1e-3 … 1e-5.
   */
  readonly threshold: number;
  /** An integer in [0, 2^53); default 0. */
  readonly seed?: number;
}

/**
 * The text with fewer occurrences of its most frequent words: an occurrence of a word with the share f of the text is
 * kept with probability √(t/f) + t/f (as in the code of word2vec; the formula of arXiv:1310.4546 §2.3 is similar). The
 * remaining words are closer together, so context windows cover more of the original text. O(tokens).
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
