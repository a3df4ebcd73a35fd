import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsrBuffer } from '../../src/csr/csr-buffer.ts';
import { csrFromLists, validateCsrRows } from '../../src/csr/csr-rows.ts';
import { columnCounts } from '../../src/csr/columns.ts';
import { rowsOf } from '../rows-of.ts';

describe('CsrBuffer', () => {
  it('holds what was added, however much, and begins anew when cleared', () => {
    const rows = fc.array(fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 5 })), { maxLength: 40 }), {
      maxLength: 90,
    });
    const buffer = new CsrBuffer(10, { weighted: true });
    fc.assert(
      fc.property(rows, (lists) => {
        buffer.clear();
        for (const list of lists) {
          for (const [index, value] of list) buffer.add(index, value);
          expect(buffer.rowLength).toBe(list.length);
          buffer.endRow();
        }
        validateCsrRows(buffer.rows());
        expect(rowsOf(buffer.rows())).toEqual(lists);
      }),
      { numRuns: 30 },
    );
  });

  it('scales the row under way to add up to 1, and leaves alone what cannot', () => {
    const buffer = new CsrBuffer(4, { weighted: true });
    for (const row of [[1, 3], [], [0, 0], [2]]) {
      for (const [index, value] of row.entries()) buffer.add(index, value);
      buffer.normalizeRow();
      buffer.endRow();
    }
    expect(rowsOf(buffer.rows())).toEqual([
      [
        [0, 0.25],
        [1, 0.75],
      ],
      [],
      [
        [0, 0],
        [1, 0],
      ],
      [[0, 1]],
    ]);
    const plain = new CsrBuffer(4, { weighted: false });
    plain.add(3, 5);
    plain.normalizeRow();
    plain.endRow();
    expect(plain.rows().values).toBeUndefined();
  });
});

describe('columnCounts', () => {
  it('counts the entries of each column, and no more than the rows have', () => {
    expect(Array.from(columnCounts(csrFromLists([[0, 2, 2], [], [2]], 4)))).toEqual([1, 0, 3, 0]);
    const { offsets } = csrFromLists([[1]], 3);
    expect(
      Array.from(columnCounts({ rows: 1, columns: 3, offsets, indices: Int32Array.of(1, 2, 2), values: undefined })),
    ).toEqual([0, 1, 0]);
  });
});
