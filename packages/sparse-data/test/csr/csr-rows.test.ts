import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsrRows, createCsrRows, csrFromLists, singleTargets, validateCsrRows } from '../../src/csr/csr-rows.ts';
import { thrownBy } from '../thrown-by.ts';

const int32 = (...values: number[]): Int32Array => Int32Array.of(...values);

describe('createCsrRows', () => {
  it('wraps its arrays without a copy, longer ones included', () => {
    const indices = int32(2, 0, 99);
    const csr = createCsrRows(2, 3, int32(0, 0, 2), indices, Float32Array.of(1, 2, Number.NaN));
    expect(csr.indices).toBe(indices);
  });

  it('accepts no rows, and empty rows of no columns', () => {
    createCsrRows(0, 0, int32(0), int32());
    createCsrRows(2, 0, int32(0, 0, 0), int32());
  });

  it.each<[string, () => unknown, string]>([
    [
      'too few offsets',
      () => createCsrRows(2, 3, int32(0, 1), int32(1)),
      'shape: csr: offsets has 2 entries for 2 rows; it needs 3',
    ],
    [
      'offsets that start late',
      () => createCsrRows(1, 3, int32(1, 1), int32(1)),
      'shape: csr: offsets start at 1; they must start at 0',
    ],
    [
      'offsets that fall',
      () => createCsrRows(2, 3, int32(0, 2, 1), int32(1, 1)),
      'shape: csr: row 1: offsets fall from 2 to 1; they must not decrease',
    ],
    [
      'too few indices',
      () => createCsrRows(1, 3, int32(0, 2), int32(1)),
      'shape: csr: offsets end at 2, but indices has 1 entries; it needs at least 2',
    ],
    [
      'too few values',
      () => createCsrRows(1, 3, int32(0, 1), int32(1), new Float32Array(0)),
      'shape: csr: offsets end at 1, but values has 0 entries; it needs at least 1',
    ],
    [
      'fractional rows',
      () => createCsrRows(1.5, 3, int32(0), int32()),
      'shape: csr: rows is 1.5; an integer of at least 0 is needed',
    ],
    [
      'negative columns',
      () => createCsrRows(0, -1, int32(0), int32()),
      'shape: csr: columns is -1; an integer of at least 0 is needed',
    ],
    [
      'a class beyond the last',
      () => createCsrRows(2, 3, int32(0, 1, 3), int32(0, 1, 3)),
      'index-out-of-range: csr: row 1, position 1: index is 3, but there are 3 columns; indices are 0..2',
    ],
    [
      'a negative class',
      () => createCsrRows(1, 3, int32(0, 1), int32(-1)),
      'index-out-of-range: csr: row 0, position 0: index is -1, but there are 3 columns; indices are 0..2',
    ],
    [
      'NaN',
      () => createCsrRows(1, 3, int32(0, 1), int32(2), Float64Array.of(Number.NaN)),
      'non-finite-value: csr: row 0, position 0 (index 2): value is NaN; values must be finite',
    ],
    [
      'infinity',
      () => createCsrRows(1, 3, int32(0, 1), int32(2), Float32Array.of(1e39)),
      'non-finite-value: csr: row 0, position 0 (index 2): value is Infinity; values must be finite',
    ],
  ])('rejects %s', async (_, action, message) => {
    expect(await thrownBy(action)).toBe(message);
  });

  it('names the rows as the caller does, and rejects arrays of other types', async () => {
    const csr = { rows: 1, columns: 3, offsets: [0, 1], indices: int32(0), values: undefined } as unknown as CsrRows;
    expect(
      await thrownBy(() => {
        validateCsrRows(csr, 'targets');
      }),
    ).toBe('shape: targets: offsets is an array of 2; an Int32Array of rows + 1 = 2 is needed');
    const withValues = { ...csr, offsets: int32(0, 1), values: int32(1) } as unknown as CsrRows;
    expect(
      await thrownBy(() => {
        validateCsrRows(withValues, 'targets');
      }),
    ).toContain('shape: targets: values is an object');
  });
});

describe('singleTargets', () => {
  it('has one entry of weight 1 a row', () => {
    const classes = int32(4, 0, 4);
    expect(singleTargets(classes, 5)).toEqual({
      rows: 3,
      columns: 5,
      offsets: int32(0, 1, 2, 3),
      indices: classes,
      values: undefined,
    });
    expect(singleTargets(int32(4, 0, 99), 5, 2).rows).toBe(2);
  });

  it('rejects more rows than classes, and classes out of range', async () => {
    expect(await thrownBy(() => singleTargets(int32(1), 5, 2))).toBe(
      'shape: singleTargets: count is 2, but there are 1 classes; it must be 0..1',
    );
    expect(await thrownBy(() => singleTargets(int32(5), 5))).toContain('index-out-of-range');
  });
});

describe('csrFromLists', () => {
  it('holds every list in order', () => {
    const list = fc.array(fc.tuple(fc.nat(6), fc.double({ noNaN: true, noDefaultInfinity: true })), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(list, { maxLength: 5 }), (rows) => {
        const lists = rows.map((row) => row.map(([index]) => index));
        const weights = rows.map((row) => row.map(([, weight]) => weight));
        const { offsets, indices, values } = csrFromLists(lists, 7, weights);
        const slices = rows.map((_, row) => [offsets[row], offsets[row + 1]] as const);
        expect(slices.map(([from, to]) => [...indices.slice(from, to)])).toEqual(lists);
        expect(slices.map(([from, to]) => [...(values?.slice(from, to) ?? [])])).toEqual(weights);
        expect(csrFromLists(lists, 7).values).toBeUndefined();
      }),
    );
  });

  it.each([1.5, -1, 3, 2 ** 32, Number.NaN])('rejects the index %d before it is truncated', async (index) => {
    expect(await thrownBy(() => csrFromLists([[0], [1, index]], 3))).toBe(
      `index-out-of-range: csrFromLists: row 1, position 1: index is ${String(index)}, but there are 3 columns; indices are integers 0..2`,
    );
  });

  it('rejects weights of another shape', async () => {
    expect(await thrownBy(() => csrFromLists([[0]], 3, []))).toBe(
      'shape: csrFromLists: weights has 0 rows, lists has 1; they must be equal',
    );
    expect(await thrownBy(() => csrFromLists([[0, 1]], 3, [[1]]))).toBe(
      'shape: csrFromLists: row 0 has 2 indices but 1 weights; they must be equal',
    );
    expect(await thrownBy(() => csrFromLists([[0]], 3, [[Number.NaN]]))).toContain('non-finite-value');
  });
});
