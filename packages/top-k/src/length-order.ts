/**
 * Vectors in the order of falling length, as an index of its own keeps them: a search then soon meets the blocks that no
 * score of can matter. A bucket sort, because nearly in order is enough.
 */
import { writeRows, type FloatArray, type RowTable } from '@vastmax/linalg-core';
import { rowsPerBlock } from './indexed-rows.ts';

/** Buckets of lengths: the upper bits of a number of f32 say about how large it is. */
const buckets = 65_536;

/** The vectors in the order of falling length, but for those of nearly the same. O(N·width). */
export function orderByLength(values: FloatArray, width: number): Int32Array {
  const count = values.length / width;
  const lengths = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let sum = 0;
    for (const end = at + width; at < end; at++) sum += values[at]! * values[at]!;
    lengths[i] = Math.sqrt(sum);
  }
  const bits = new Uint32Array(lengths.buffer);
  const starts = new Int32Array(buckets + 1);
  for (let i = 0; i < count; i++) starts[buckets - (bits[i]! >>> 16)]!++;
  for (let bucket = 0, before = 0; bucket <= buckets; bucket++) {
    const own = starts[bucket]!;
    starts[bucket] = before;
    before += own;
  }
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[starts[buckets - (bits[i]! >>> 16)]!++] = i;
  return order;
}

/** Writes the vectors in this order, from row `firstSlot` on. */
export function writeOrdered(values: FloatArray, order: Int32Array, firstSlot: number, table: RowTable): void {
  const width = table.columns;
  const block = new Float32Array(Math.min(order.length, rowsPerBlock) * width);
  for (let first = 0; first < order.length; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, order.length - first);
    for (let i = 0; i < count; i++) {
      const from = order[first + i]! * width;
      block.set(values.subarray(from, from + width), i * width);
    }
    writeRows(block.subarray(0, count * width), firstSlot + first, table);
  }
}
