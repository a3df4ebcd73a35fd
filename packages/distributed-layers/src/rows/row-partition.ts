/**
 * Which rank owns which row: row r belongs to rank r mod p, as its row ⌊r/p⌋. Targets follow Zipf's law and
 * vocabularies are sorted by frequency, so blocks of consecutive rows would give the first rank nearly all the traffic
 * (with 10⁶ classes and 4 ranks, 90 % of the draws fall into the first quarter); assigned in turn, neighbours in
 * frequency land on different ranks and every rank gets its share of each stretch, also of any range of classes that is
 * scored. A hash would balance as well and needs a table or a search to be inverted.
 */
export interface RowPartition {
  readonly rows: number;
  readonly size: number;
}

/** Of a layer that classes may be added to: rows that are there stay where they are. */
export interface GrowingPartition extends RowPartition {
  rows: number;
}

export function ownerOf({ size }: RowPartition, row: number): number {
  return row % size;
}

/** Where the owner keeps it. */
export function localRowOf({ size }: RowPartition, row: number): number {
  return Math.floor(row / size);
}

/** The row that the owner `rank` keeps at `local`. */
export function rowOf({ size }: RowPartition, rank: number, local: number): number {
  return local * size + rank;
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
export function firstLocalAt({ size }: RowPartition, rank: number, row: number): number {
  return Math.max(0, Math.ceil((row - rank) / size));
}
