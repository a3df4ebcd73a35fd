import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csrFromLists } from '../../src/csr/csr-rows.ts';
import { addDuplicates, excludeEntries, transposeCsr } from '../../src/csr/entries.ts';
import { listsOf, rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

const lists = fc.array(fc.array(fc.nat(5), { maxLength: 8 }), { minLength: 1, maxLength: 5 });

describe('addDuplicates', () => {
  it('counts, or adds up the values of, entries with one column', () => {
    fc.assert(
      fc.property(lists, fc.boolean(), (rows, isWeighted) => {
        const weights = rows.map((row) => row.map((_, i) => (isWeighted ? i + 0.5 : 1)));
        const expected = rows.map((row, r) =>
          [...new Set(row)].map((column) => [
            column,
            row.reduce((sum, each, i) => sum + (each === column ? weights[r]![i]! : 0), 0),
          ]),
        );
        expect(rowsOf(addDuplicates(csrFromLists(rows, 6, isWeighted ? weights : undefined)))).toEqual(expected);
      }),
    );
  });

  it('stores no values where there are no duplicates', () => {
    expect(addDuplicates(csrFromLists([[2, 1], [2]], 3)).values).toBeUndefined();
  });
});

describe('excludeEntries', () => {
  it('leaves out what the other rows have', async () => {
    const left = excludeEntries(csrFromLists([[1, 2, 1], [0], [2]], 3), csrFromLists([[1], [], [2, 2]], 3));
    expect(listsOf(left)).toEqual([[2], [0], []]);
    const weighted = excludeEntries(csrFromLists([[1, 2]], 3, [[0.5, 4]]), csrFromLists([[1]], 3));
    expect(rowsOf(weighted)).toEqual([[[2, 4]]]);
    expect(await thrownBy(() => excludeEntries(left, csrFromLists([[1]], 3)))).toBe(
      'shape: excludeEntries: there are 3 rows, and 1 of what is excluded; they must be equal',
    );
  });
});

describe('transposeCsr', () => {
  it('gives each column its rows, ascending, with their values', () => {
    fc.assert(
      fc.property(lists, fc.boolean(), (rows, isWeighted) => {
        const weights = rows.map((row, r) => row.map((_, i) => 10 * r + i + 0.5));
        const csr = isWeighted ? csrFromLists(rows, 6, weights) : csrFromLists(rows, 6);
        const found = transposeCsr(csr);
        expect([found.rows, found.columns, found.values !== undefined]).toEqual([6, rows.length, isWeighted]);
        for (let column = 0; column < 6; column++) {
          const own = rows.flatMap((row, r) =>
            row.flatMap((each, i) => (each === column ? [[r, isWeighted ? weights[r]![i]! : undefined]] : [])),
          );
          const [start, end] = [found.offsets[column]!, found.offsets[column + 1]!];
          const got = Array.from({ length: end - start }, (_, i) => [
            found.indices[start + i],
            found.values?.[start + i],
          ]);
          expect(got).toEqual(own);
        }
      }),
    );
  });
});
