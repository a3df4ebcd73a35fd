import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  firstLocalAt,
  localRowOf,
  ownedCount,
  ownerOf,
  partitionOfGroups,
  rowOf,
  type RowPartition,
} from '../../src/rows/row-partition.ts';

const sizes = fc.integer({ min: 1, max: 9 });
/** Single rows, or groups of up to 12. */
const partitions: fc.Arbitrary<RowPartition> = fc.oneof(
  fc.record({ rows: fc.integer({ min: 0, max: 200 }), size: sizes }),
  fc.tuple(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 20 }), sizes).map(([lengths, size]) => {
    const starts = [0];
    for (const length of lengths) starts.push(starts[starts.length - 1]! + length);
    return partitionOfGroups(starts, size);
  }),
);

it('every row has one owner and one place, and back', () => {
  fc.assert(
    fc.property(partitions, (partition) => {
      const seen = new Map<string, number>();
      for (let row = 0; row < partition.rows; row++) {
        const rank = ownerOf(partition, row);
        const local = localRowOf(partition, row);
        expect(rowOf(partition, rank, local)).toBe(row);
        expect(local).toBeLessThan(ownedCount(partition, rank));
        expect(seen.has(`${rank} ${local}`)).toBe(false);
        seen.set(`${rank} ${local}`, row);
      }
    }),
  );
});

it('counts the rows of a range as one by one', () => {
  fc.assert(
    fc.property(partitions, fc.nat(200), fc.nat(200), fc.nat(8), (partition, a, b, r) => {
      const rank = r % partition.size;
      const first = Math.min(a, b, partition.rows);
      const end = Math.min(Math.max(a, b), partition.rows);
      const owned = Array.from({ length: end - first }, (_, i) => first + i).filter(
        (row) => ownerOf(partition, row) === rank,
      );
      expect(ownedCount(partition, rank, first, end - first)).toBe(owned.length);
      if (owned[0] !== undefined) expect(firstLocalAt(partition, rank, first)).toBe(localRowOf(partition, owned[0]));
    }),
  );
});

it('no rank is far from its share of Zipf-distributed draws', () => {
  const partition = { rows: 100_000, size: 4 };
  const shares = [0, 0, 0, 0];
  let total = 0;
  for (let row = 0; row < partition.rows; row++) {
    shares[ownerOf(partition, row)]! += 1 / (row + 1);
    total += 1 / (row + 1);
  }
  // The most frequent class of all is 8 % of the draws, and a minibatch fetches it once however often it is drawn.
  for (const share of shares) expect(share / total).toBeLessThan(0.32);
});
