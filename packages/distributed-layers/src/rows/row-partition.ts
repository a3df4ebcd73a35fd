/**
 * Which rank owns which row: row r belongs to rank r mod p, as its row ⌊r/p⌋ (a cyclic distribution). Targets follow
 * Zipf's law and vocabularies are sorted by frequency, so blocks of consecutive rows would give the first rank nearly
 * all the traffic (with 10⁶ classes and 4 ranks, 90 % of the draws are in the first quarter). With the cyclic
 * distribution, classes of similar frequency are on different ranks, and every rank has an equal part of each range of
 * classes, also of a range that is scored. A hash would balance as well but needs a table or a search to be inverted.
 */
export interface RowPartition {
  readonly rows: number;
  readonly size: number;
  /** Where groups of consecutive rows are kept together; without them each row is a group. */
  readonly groups?: RowGroups;
}

/** Consecutive rows with one owner, such as the children of the nodes below one node of a tree. */
interface RowGroups {
  /** The first row of each group, ascending, and the number of rows at the end. */
  readonly starts: ArrayLike<number>;
  /** Where the group begins among the rows of its owner. */
  readonly localStarts: Float64Array;
}

/** Group g belongs to rank g mod p. O(groups). @param starts first rows, and the number of rows at the end. */
export function partitionOfGroups(starts: ArrayLike<number>, size: number): RowPartition {
  const count = starts.length - 1;
  const localStarts = new Float64Array(count);
  const filled = new Float64Array(size);
  for (let group = 0; group < count; group++) {
    localStarts[group] = filled[group % size]!;
    filled[group % size]! += starts[group + 1]! - starts[group]!;
  }
  return { rows: starts[count]!, size, groups: { starts, localStarts } };
}

/** The last place whose value is at most `value`, of ascending values; −1 when there is none. O(log count). */
function lastAtMost(valueOf: (place: number) => number, count: number, value: number): number {
  let low = -1;
  for (let high = count; high - low > 1;) {
    const middle = (low + high) >> 1;
    if (valueOf(middle) <= value) low = middle;
    else high = middle;
  }
  return low;
}

function groupOf({ starts }: RowGroups, row: number): number {
  return lastAtMost((group) => starts[group]!, starts.length - 1, row);
}

/** The partition of a layer to which classes may be added: existing rows stay where they are. */
export interface GrowingPartition extends RowPartition {
  rows: number;
}

export function ownerOf({ size, groups }: RowPartition, row: number): number {
  return (groups === undefined ? row : groupOf(groups, row)) % size;
}

/** The index of the row on its owner. */
export function localRowOf({ size, groups }: RowPartition, row: number): number {
  if (groups !== undefined) {
    const group = groupOf(groups, row);
    return groups.localStarts[group]! + row - groups.starts[group]!;
  }
  return Math.floor(row / size);
}

/** The row that rank `rank` stores at index `local`. */
export function rowOf({ size, groups }: RowPartition, rank: number, local: number): number {
  if (groups === undefined) return local * size + rank;
  const { starts, localStarts } = groups;
  // Groups without rows have the same place as the next one.
  const own = lastAtMost((i) => localStarts[i * size + rank]!, ownGroups(groups, size, rank), local);
  const group = own * size + rank;
  return starts[group]! + local - localStarts[group]!;
}

/** How many rows of `first` … `first + count − 1` a rank owns; all of its rows unless given. */
export function ownedCount(
  partition: RowPartition,
  rank: number,
  first = 0,
  count: number = partition.rows - first,
): number {
  return firstLocalAt(partition, rank, first + count) - firstLocalAt(partition, rank, first);
}

/** The first of a rank's rows that is at least `row`. */
export function firstLocalAt({ rows, size, groups }: RowPartition, rank: number, row: number): number {
  if (groups === undefined) return Math.max(0, Math.ceil((row - rank) / size));
  const { starts, localStarts } = groups;
  // Of the last of its groups that begins before `row`, the rows before `row`, and all of those before.
  const own = lastAtMost((i) => starts[i * size + rank]!, ownGroups(groups, size, rank), Math.min(row, rows));
  if (own < 0) return 0;
  const group = own * size + rank;
  return localStarts[group]! + Math.min(row, starts[group + 1]!) - starts[group]!;
}

/** How many groups a rank has. */
function ownGroups({ starts }: RowGroups, size: number, rank: number): number {
  return Math.max(0, Math.ceil((starts.length - 1 - rank) / size));
}
