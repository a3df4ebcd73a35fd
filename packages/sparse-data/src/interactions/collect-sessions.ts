import type { CsrRows } from '../csr/csr-rows.ts';
import { enlarged } from '../csr/enlarged.ts';
import { SparseDataError, checkInteger, show } from '../errors.ts';
import { Vocabulary } from '../text/vocabulary.ts';
import type { Interaction } from './interaction-values.ts';

/** Which items are known, and how often an item must occur. */
export interface CollectSessionsOptions {
  /**
   * The vocabulary of items, such as those of the training part; other items are left out. Default: all items of the
   * interactions.
   */
  readonly items?: Vocabulary;
  /** Items with fewer interactions are left out, if `items` is not given; default 1. */
  readonly minimumCount?: number;
  /**
   * Users with fewer interactions, those with kept items, are left out; default 0, which keeps those without any. Both
   * minima hold in the result: users and items are left out in turn until none is below.
   */
  readonly minimumUserCount?: number;
}

/** The items of each user, in chronological order. */
export interface Sessions {
  /**
   * One user per row: the items in chronological order, with repetitions. Rows may be empty. Values are the weights,
   * where one is not 1.
   */
  readonly sessions: CsrRows;
  /** The time of each entry. */
  readonly times: Float64Array;
  /** The user of each row, in order of first appearance. */
  readonly users: readonly string[];
  /** The items, most frequent first. */
  readonly items: Vocabulary;
}

/**
 * Collects interactions into one session per user, sorted by time; interactions with equal times keep their order in
 * the stream. The rows can be used with SessionBatches, WindowBatches and, after addDuplicates, SetBatches. If a stream
 * has visits instead of users, use the visit as the user. Memory: 24 bytes per interaction, and the names; time
 * O(n log n).
 * @throws SparseDataError `empty-input` for no interactions, `bad-vocabulary` if fewer than two items are kept,
 * `bad-option`, and what the stream throws.
 */
export async function collectSessions(
  interactions: AsyncIterable<Interaction> | Iterable<Interaction>,
  options: CollectSessionsOptions = {},
): Promise<Sessions> {
  const { minimumCount = 1, minimumUserCount = 0 } = options;
  checkInteger('collectSessions', 'minimumCount', minimumCount, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('collectSessions', 'minimumUserCount', minimumUserCount, 0, Number.MAX_SAFE_INTEGER);
  const columns = await readColumns(interactions);
  const { users, items } = columns;
  if (columns.length === 0)
    throw new SparseDataError('empty-input', 'collectSessions: there are no interactions; at least 1 is needed');
  const known = options.items;
  const isKnown = known === undefined ? undefined : items.map((name) => known.has(name));
  const kept = keptEntries(columns, {
    isItem: (item) => isKnown?.[item] ?? true,
    minimumCount: known === undefined ? minimumCount : 0,
    minimumUserCount,
  });
  const vocabulary =
    known ??
    vocabularyOf(
      items,
      kept.itemCounts,
      `${items.length} items (${columns.length} interactions) with at least ${minimumCount} interactions an item and ${minimumUserCount} a user`,
    );
  const classes = Int32Array.from(items, (name) => (vocabulary.has(name) ? (vocabulary.idOf(name) ?? -1) : -1));
  const isUser = Array.from(kept.userCounts, (count) => count >= minimumUserCount);
  return {
    ...rowsOfUsers(columns, { isEntry: kept.isEntry, isUser, classes, items: vocabulary.size }),
    users: users.filter((_, user) => isUser[user]),
    items: vocabulary,
  };
}

/** Interactions side by side; users and items are numbered in order of first appearance. */
interface InteractionTable {
  readonly length: number;
  readonly users: readonly string[];
  readonly items: readonly string[];
  readonly userOf: Int32Array;
  readonly itemOf: Int32Array;
  readonly times: Float64Array;
  readonly weights: Float64Array;
}

async function readColumns(
  interactions: AsyncIterable<Interaction> | Iterable<Interaction>,
): Promise<InteractionTable> {
  const users = new Map<string, number>();
  const items = new Map<string, number>();
  let userOf = new Int32Array(1024);
  let itemOf = new Int32Array(1024);
  let times = new Float64Array(1024);
  let weights = new Float64Array(1024);
  let length = 0;
  for await (const { user, item, time, weight } of interactions) {
    if (length === userOf.length) {
      userOf = enlarged(userOf, new Int32Array(2 * length));
      itemOf = enlarged(itemOf, new Int32Array(2 * length));
      times = enlarged(times, new Float64Array(2 * length));
      weights = enlarged(weights, new Float64Array(2 * length));
    }
    userOf[length] = numberOf(users, user);
    itemOf[length] = numberOf(items, item);
    times[length] = time;
    weights[length] = weight;
    length++;
  }
  return { length, users: [...users.keys()], items: [...items.keys()], userOf, itemOf, times, weights };
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  // A copy: a substring would keep the line that it is a part of in memory.
  numbers.set(` ${name}`.slice(1), numbers.size);
  return numbers.size - 1;
}

interface Kept {
  /** 1 for each entry that is kept. */
  readonly isEntry: Uint8Array;
  /** Kept entries of each user and item. */
  readonly userCounts: Float64Array;
  readonly itemCounts: Float64Array;
}

/** Users and items below their minimum are left out in turn until none is. */
function keptEntries(
  { length, users, items, userOf, itemOf }: InteractionTable,
  rule: {
    readonly isItem: (item: number) => boolean;
    readonly minimumCount: number;
    readonly minimumUserCount: number;
  },
): Kept {
  const isEntry = new Uint8Array(length);
  const userCounts = new Float64Array(users.length);
  const itemCounts = new Float64Array(items.length);
  for (let entry = 0; entry < length; entry++) {
    if (!rule.isItem(itemOf[entry]!)) continue;
    isEntry[entry] = 1;
    userCounts[userOf[entry]!]!++;
    itemCounts[itemOf[entry]!]!++;
  }
  for (let isDone = false; !isDone;) {
    isDone = true;
    for (let entry = 0; entry < length; entry++) {
      const user = userOf[entry]!;
      const item = itemOf[entry]!;
      if (isEntry[entry] === 0) continue;
      if (userCounts[user]! >= rule.minimumUserCount && itemCounts[item]! >= rule.minimumCount) continue;
      isEntry[entry] = 0;
      userCounts[user]!--;
      itemCounts[item]!--;
      isDone = false;
    }
  }
  return { isEntry, userCounts, itemCounts };
}

/** The items that are left, most frequent first; of equal counts by UTF-16 code units. */
function vocabularyOf(items: readonly string[], counts: Float64Array, of: string): Vocabulary {
  const order = Array.from(items.keys())
    .filter((item) => counts[item]! > 0)
    .sort((a, b) => counts[b]! - counts[a]! || (items[a]! < items[b]! ? -1 : 1));
  if (order.length < 2)
    throw new SparseDataError(
      'bad-vocabulary',
      `collectSessions: ${order.length === 0 ? 'no item is' : `only ${show(items[order[0]!])} is`} left of ${of}; 2 items are needed: give more interactions or lower minima`,
    );
  return new Vocabulary({ tokens: order.map((item) => items[item]!), counts: order.map((item) => counts[item]!) });
}

function rowsOfUsers(
  { length, users, userOf, itemOf, times, weights }: InteractionTable,
  kept: {
    readonly isEntry: Uint8Array;
    readonly isUser: readonly boolean[];
    readonly classes: Int32Array;
    readonly items: number;
  },
): Pick<Sessions, 'sessions' | 'times'> {
  const ends = new Int32Array(users.length + 1);
  for (let entry = 0; entry < length; entry++) if (kept.isEntry[entry] === 1) ends[userOf[entry]! + 1]!++;
  for (let user = 0; user < users.length; user++) ends[user + 1]! += ends[user]!;
  const starts = ends.slice(0, users.length);
  const order = new Int32Array(ends[users.length]!);
  for (let entry = 0; entry < length; entry++) if (kept.isEntry[entry] === 1) order[starts[userOf[entry]!]!++] = entry;
  const offsets = [0];
  for (let user = 0; user < users.length; user++) {
    // Stable.
    order.subarray(ends[user], ends[user + 1]).sort((a, b) => times[a]! - times[b]!);
    if (kept.isUser[user]!) offsets.push(ends[user + 1]!);
  }
  const weighted = order.some((entry) => weights[entry] !== 1);
  return {
    sessions: {
      rows: offsets.length - 1,
      columns: kept.items,
      offsets: Int32Array.from(offsets),
      indices: order.map((entry) => kept.classes[itemOf[entry]!]!),
      values: weighted ? Float64Array.from(order, (entry) => weights[entry]!) : undefined,
    },
    times: Float64Array.from(order, (entry) => times[entry]!),
  };
}
