// Which part an example belongs to is a function of its key and the seed alone: it does not change when the file is
// reordered or grows, all examples of one key (a user, a document) land together, and nothing is stored.

import { seedWord } from './integer-hash.ts';
import { checkInteger } from './option-checks.ts';
import { cumulativeShares } from './split-shares.ts';
import type { SplitShares } from './split-shares.ts';
import { hashString } from './string-hash.ts';

export interface HashSplitOptions {
  /** An integer in [0, 2^53); default 0. Another seed is another, independent split. */
  readonly seed?: number;
}

/**
 * A split by key: the returned function names the part of a key, each part getting about its share of all keys.
 * Cost: O(characters of the key).
 * @param shares in the order of the object; they add up to 1.
 * @throws SparseDataError `bad-split`, `bad-option`.
 */
export function createHashSplit<Name extends string>(
  shares: SplitShares<Name>,
  options: HashSplitOptions = {},
): (key: string) => Name {
  const { seed = 0 } = options;
  checkInteger('createHashSplit', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const parts = cumulativeShares('createHashSplit', shares);
  const word = seedWord(seed, 0);
  return (key) => {
    const at = hashString(key, word) / 2 ** 32;
    // at < 1, and the last bound is 1.
    let part = 0;
    while (at >= parts[part]![1]) part++;
    return parts[part]![0];
  };
}
