/**
 * Row numbers grouped by destination, on the host: a GPU has no atomic addition of floats, and its order would differ
 * between runs. Each destination then belongs to one thread per column, which adds its rows in their order.
 */

export interface RowGroups {
  /** Number of distinct destinations. */
  readonly count: number;
  /**
   * For the device: `count` destinations in ascending order, then the start of each group (`count` + 1 of them), then
   * all positions.
   */
  readonly packed: Int32Array;
}

/** Rows a digit of the sort: 2¹¹ counters stay in a processor's first-level cache. */
const digitBits = 11;

/** O(n), by a stable radix sort unless the rows are already sorted. */
export function groupRows(rows: Int32Array): RowGroups {
  const order = sortPositions(rows);
  let count = 0;
  for (let i = 0; i < order.length; i++) if (i === 0 || rows[order[i]!] !== rows[order[i - 1]!]) count++;
  const packed = new Int32Array(2 * count + 1 + order.length);
  let group = -1;
  for (let i = 0; i < order.length; i++) {
    const row = rows[order[i]!]!;
    if (i === 0 || row !== packed[group]!) {
      packed[++group] = row;
      packed[count + group] = i;
    }
  }
  packed[2 * count] = order.length;
  packed.set(order, 2 * count + 1);
  return { count, packed };
}

/** The first of the sorted destinations that is at least `row`. */
export function lowerBound({ count, packed }: RowGroups, row: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (packed[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Positions in the order of their rows; equal rows keep the order of their positions. */
function sortPositions(rows: Int32Array): Int32Array {
  let order = new Int32Array(rows.length);
  let largest = 0;
  let sorted = true;
  for (let i = 0; i < rows.length; i++) {
    order[i] = i;
    largest = Math.max(largest, rows[i]!);
    if (i > 0 && rows[i]! < rows[i - 1]!) sorted = false;
  }
  if (sorted) return order;
  let target = new Int32Array(rows.length);
  const starts = new Int32Array(2 ** digitBits + 1);
  for (let shift = 0; shift < 31 && largest >>> shift > 0; shift += digitBits) {
    starts.fill(0);
    const mask = 2 ** digitBits - 1;
    for (const row of rows) starts[((row >>> shift) & mask) + 1]!++;
    for (let digit = 0; digit < mask; digit++) starts[digit + 1]! += starts[digit]!;
    for (const position of order) target[starts[(rows[position]! >>> shift) & mask]!++] = position;
    [order, target] = [target, order];
  }
  return order;
}
