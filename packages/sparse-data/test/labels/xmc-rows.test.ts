import { describe, expect, it } from 'vitest';
import { parseXmc } from '../../src/labels/parse-xmc.ts';
import { xmcRows } from '../../src/labels/xmc-rows.ts';
import { allOf } from '../all-of.ts';
import { thrownBy } from '../thrown-by.ts';

describe('xmcRows', () => {
  it('makes rows of inputs and targets', async () => {
    const points = await allOf(parseXmc(['4 9 5', '0,4 1:2 3:.5', ' 8:1', '2', '']));
    expect(xmcRows(points)).toEqual({
      inputs: {
        rows: 4,
        columns: 9,
        offsets: Int32Array.of(0, 2, 3, 3, 3),
        indices: Int32Array.of(1, 3, 8),
        values: Float64Array.of(2, 0.5, 1),
      },
      targets: {
        rows: 4,
        columns: 5,
        offsets: Int32Array.of(0, 2, 2, 3, 3),
        indices: Int32Array.of(0, 4, 2),
        values: undefined,
      },
    });
  });

  it('refuses no points, and points of two shapes', async () => {
    const [first] = await allOf(parseXmc(['1 9 5', '0 1:1']));
    const [second] = await allOf(parseXmc(['1 8 5', '0 1:1']));
    if (first === undefined || second === undefined) throw new Error('a point is needed');
    expect(await thrownBy(() => xmcRows([]))).toBe('empty-input: xmcRows: there are no points; at least 1 is needed');
    expect(await thrownBy(() => xmcRows([first, second]))).toBe(
      'shape: xmcRows: point 1 is of 8 features and 5 labels, point 0 of 9 and 5; they must be equal',
    );
    expect(await thrownBy(() => xmcRows([{ ...first, features: Int32Array.of(9) }]))).toContain(
      'index-out-of-range: csr: row 0',
    );
  });
});
