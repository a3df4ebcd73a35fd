import { CsrBuffer } from '../csr/csr-buffer.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError, checkInteger } from '../errors.ts';
import type { Interaction } from './parse-interactions.ts';
import type { Vocabulary } from '../text/vocabulary.ts';
import { VocabularyCounter } from '../text/vocabulary-counter.ts';

/** Which items are known, and how often an item must occur. */
export interface CollectSessionsOptions {
  /**
   * The vocabulary of items, such as those of the training part; other items are left out. Default: all items of the
   * interactions.
   */
  readonly items?: Vocabulary;
  /** Items with fewer interactions are left out, if `items` is not given; default 1. */
  readonly minimumCount?: number;
}

/** The items of each user, in chronological order. */
export interface Sessions {
  /** One user per row: the items in chronological order, with repetitions. Rows may be empty. */
  readonly sessions: CsrRows;
  /** The user of each row, in order of first appearance. */
  readonly users: readonly string[];
  /** The items, most frequent first. */
  readonly items: Vocabulary;
}

/**
 * Collects interactions into one session per user, sorted by time; interactions with equal times keep their order in
 * the stream. The rows can be used with SessionBatches, WindowBatches and SetBatches. If a stream has visits instead of
 * users, use the visit as the user. Memory: at least 24 bytes per interaction; time O(n log n).
 * @throws SparseDataError `empty-input` for no interactions, `bad-vocabulary` if fewer than two items are kept,
 * `bad-option`, and what the stream throws.
 */
export async function collectSessions(
  interactions: AsyncIterable<Interaction> | Iterable<Interaction>,
  options: CollectSessionsOptions = {},
): Promise<Sessions> {
  const { minimumCount = 1 } = options;
  checkInteger('collectSessions', 'minimumCount', minimumCount, 1, Number.MAX_SAFE_INTEGER);
  const byUser = new Map<string, { readonly item: string; readonly time: number }[]>();
  const counter = new VocabularyCounter();
  // One shared string for all interactions with an item: parsers create a new string for each line.
  const names = new Map<string, string>();
  for await (const { user, item, time } of interactions) {
    let name = names.get(item);
    if (name === undefined) names.set(item, (name = item));
    const session = byUser.get(user);
    if (session === undefined) byUser.set(user, [{ item: name, time }]);
    else session.push({ item: name, time });
    counter.add(name);
  }
  if (byUser.size === 0)
    throw new SparseDataError('empty-input', 'collectSessions: there are no interactions; at least 1 is needed');
  const items = options.items ?? counter.build({ minimumCount });
  const rows = new CsrBuffer(items.size, { weighted: false });
  for (const session of byUser.values()) {
    // Array.sort is stable.
    session.sort((a, b) => a.time - b.time);
    for (const { item } of session) {
      const id = items.has(item) ? items.idOf(item) : undefined;
      if (id !== undefined) rows.add(id);
    }
    rows.endRow();
  }
  return { sessions: rows.rows(), users: [...byUser.keys()], items };
}
