import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsrRows } from '../../src/csr/csr-rows.ts';
import { csrFromLists, validateCsrRows } from '../../src/csr/csr-rows.ts';
import { DuplicateMerger, mergeDuplicates } from '../../src/csr/merge-duplicates.ts';

type Rows = [index: number, weight: number][][];

/** Rows as lists of [index, weight]. */
function listed({ rows, offsets, indices, values }: CsrRows): Rows {
  return Array.from({ length: rows }, (_, row) =>
    Array.from(
      indices.slice(offsets[row], offsets[row + 1]),
      (index, place) => [index, values?.[(offsets[row] ?? 0) + place] ?? 1] as [number, number],
    ),
  );
}

/** The naive twin: a Map keeps the order of first appearance. */
function mergedNaively(rows: Rows): Rows {
  return rows.map((row) => {
    const sums = new Map<number, number>();
    for (const [index, weight] of row) sums.set(index, (sums.get(index) ?? 0) + weight);
    return [...sums];
  });
}

function csrOf(rows: Rows, columns: number): CsrRows {
  return csrFromLists(
    rows.map((row) => row.map(([index]) => index)),
    columns,
    rows.map((row) => row.map(([, weight]) => weight)),
  );
}

const HUGE = 2 ** 31 - 1;
const index = fc.oneof(fc.nat(5), fc.integer({ min: HUGE - 40, max: HUGE - 1 }), fc.nat(HUGE - 1));
const row = fc.oneof(
  fc.array(fc.tuple(index, fc.integer({ min: -9, max: 9 })), { maxLength: 6 }),
  fc.array(fc.tuple(index, fc.integer({ min: -9, max: 9 })), { minLength: 13, maxLength: 70 }),
);

describe('mergeDuplicates', () => {
  it('agrees with a Map for each row, short and long, in 2^31 columns', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
        const merged = mergeDuplicates(csrOf(rows, HUGE));
        expect(listed(merged)).toEqual(mergedNaively(rows));
        validateCsrRows(merged);
      }),
    );
  });

  it('gives the same through a merger that has served other rows before', () => {
    const merger = new DuplicateMerger();
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
        expect(listed(merger.merge(csrOf(rows, HUGE)))).toEqual(mergedNaively(rows));
      }),
    );
  });

  it('counts repeats where there are no weights', () => {
    expect(listed(mergeDuplicates(csrFromLists([[3, 1, 3], [], [2]], 4)))).toEqual([
      [
        [3, 2],
        [1, 1],
      ],
      [],
      [[2, 1]],
    ]);
  });

  it('returns its argument where nothing repeats, across rows included', () => {
    const csr = csrFromLists([[3, 1], [3], Array.from({ length: 30 }, (_, at) => at)], 30);
    expect(mergeDuplicates(csr)).toBe(csr);
  });

  it('reuses its arrays for as many entries and rows', () => {
    const merger = new DuplicateMerger();
    const many = csrFromLists(
      [
        [3, 1, 3],
        [2, 2],
      ],
      4,
    );
    const first = merger.merge(many);
    const arrays = [first.offsets, first.indices, first.values];
    const second = merger.merge(
      csrFromLists(
        [
          [1, 1],
          [0, 0],
        ],
        4,
      ),
    );
    expect(second).toBe(first);
    [second.offsets, second.indices, second.values].forEach((array, at) => {
      expect(array).toBe(arrays[at]);
    });
    expect(listed(second)).toEqual([[[1, 2]], [[0, 2]]]);
  });

  it('merges its own result, and a row of 100,000 entries', () => {
    const merger = new DuplicateMerger();
    const list = Array.from({ length: 100_000 }, (_, at) => (at % 50_000) * 1024);
    const merged = merger.merge(csrFromLists([list], HUGE));
    expect(merged.offsets).toEqual(Int32Array.of(0, 50_000));
    expect(merged.values?.subarray(0, 50_000).every((value) => value === 2)).toBe(true);
    expect(merger.merge(merged)).toBe(merged);
  });
});
