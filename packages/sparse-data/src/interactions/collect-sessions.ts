import { CsrBuffer } from '../csr/csr-buffer.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { SparseDataError } from '../errors.ts';
import { checkInteger } from '../errors.ts';
import type { Interaction } from './parse-interactions.ts';
import type { Vocabulary } from '../text/vocabulary.ts';
import { VocabularyCounter } from '../text/vocabulary-counter.ts';

export interface CollectSessionsOptions {
  /**
   * The items to number, such as those of the training part; others are left out. Counted from the interactions unless
   * given.
   */
  readonly items?: Vocabulary;
  /** Items met fewer times are left out, where they are counted; default 1. */
  readonly minimumCount?: number;
}

/** Who met what, in which order. */
export interface Sessions {
  /** A user a row: the items in the order in which they were met, repetitions and all. Rows may be empty. */
  readonly sessions: CsrRows;
  /** The user of each row, in order of first appearance. */
  readonly users: readonly string[];
  /** The items, most frequent first. */
  readonly items: Vocabulary;
}

/**
 * Interactions as one session for each user, ordered by time, of equal times by their order in the stream: rows for
 * SessionBatches, WindowBatches and SetBatches. Where a stream has visits rather than users, name the visit as its
 * user. Memory: 24 bytes and more an interaction; time O(n log n).
 * @throws SparseDataError `empty-input` for no interactions, `bad-vocabulary` where fewer than two items are kept,
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
  // One string for all meetings with an item: parsers make a new one for each line.
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
