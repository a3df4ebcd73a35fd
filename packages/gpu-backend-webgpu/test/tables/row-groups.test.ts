import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupRows, lowerBound } from '../../src/tables/row-groups.ts';

/** Destination → positions, the slow way. */
function naiveGroups(rows: readonly number[]): [number, number[]][] {
  const groups = new Map<number, number[]>();
  for (const [position, row] of rows.entries()) groups.set(row, [...(groups.get(row) ?? []), position]);
  return [...groups].sort(([a], [b]) => a - b);
}

function unpacked(rows: readonly number[]): [number, number[]][] {
  const { count, packed } = groupRows(Int32Array.from(rows));
  const positions = packed.subarray(2 * count + 1);
  return Array.from({ length: count }, (_, i) => [
    packed[i]!,
    [...positions.subarray(packed[count + i], packed[count + i + 1])],
  ]);
}

const anyRows = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 }),
  fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 60 }),
);

describe('groupRows', () => {
  it('lists the positions of each destination in order', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        expect(unpacked(rows)).toEqual(naiveGroups(rows));
      }),
    );
  });

  it('leaves rows in rising order as they are', () => {
    expect([...groupRows(Int32Array.of(1, 1, 4, 7)).packed]).toEqual([1, 4, 7, 0, 2, 3, 4, 0, 1, 2, 3]);
    expect([...groupRows(new Int32Array(0)).packed]).toEqual([0]);
  });
});

describe('lowerBound', () => {
  it('finds the first destination from a row on', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 0, max: 2 ** 31 - 1 }), (rows, row) => {
        const groups = groupRows(Int32Array.from(rows));
        const expected = naiveGroups(rows).filter(([destination]) => destination < row).length;
        expect(lowerBound(groups, row)).toBe(expected);
      }),
    );
  });
});
