import { describe, expect, it } from 'vitest';
import { columnsByFrequency, renumberColumns } from '../../src/csr/columns.ts';
import { csrFromLists } from '../../src/csr/csr-rows.ts';
import { rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

describe('columnsByFrequency and renumberColumns', () => {
  it('number columns by falling frequency, and keep rows and values', () => {
    const order = columnsByFrequency([2, 7, 0, 7]);
    expect([...order]).toEqual([1, 3, 0, 2]);
    expect([...columnsByFrequency([0, 1, 0, 5, 0])]).toEqual([3, 1, 0, 2, 4]);
    const csr = csrFromLists([[3, 0], [], [1, 2]], 4, [[5, 6], [], [7, 8]]);
    expect(rowsOf(renumberColumns(csr, order))).toEqual([
      [
        [1, 5],
        [2, 6],
      ],
      [],
      [
        [0, 7],
        [3, 8],
      ],
    ]);
    expect(rowsOf(csr)).toEqual([
      [
        [3, 5],
        [0, 6],
      ],
      [],
      [
        [1, 7],
        [2, 8],
      ],
    ]);
  });

  it.each([[[0, 1]], [[0, 1, 1]], [[0, 1, 3]], [[-1, 0, 1]]])('reject the order %j of three columns', async (order) => {
    expect(await thrownBy(() => renumberColumns(csrFromLists([[0]], 3), Int32Array.from(order)))).toContain(
      'shape: renumberColumns: order has',
    );
  });
});
