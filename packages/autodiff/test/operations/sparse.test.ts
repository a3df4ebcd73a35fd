import {
  createMatrixFrom,
  createPlainBackend,
  read,
  readRows,
  Scope,
  scatterAddRows,
  writeIndices,
  writeRows,
} from '@vastmax/linalg-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matmul, sparseTimesTable, square, Tape, tanh, type SparseEntries, type Variable } from '../../src/index.ts';
import { sampleInput } from '../sample-inputs.ts';

const backend = createPlainBackend({ precision: 'f64' });
const tableRows = 6;
const columns = 3;

interface Entry {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

function createEntries(scope: Scope, rows: number, entries: readonly Entry[], hasValues = true): SparseEntries {
  const indicesOf = (values: readonly number[]): SparseEntries['rowIndices'] => {
    const indices = scope.indices(values.length);
    writeIndices(Int32Array.from(values), indices);
    return indices;
  };
  return {
    rows,
    rowIndices: indicesOf(entries.map(({ row }) => row)),
    columnIndices: indicesOf(entries.map(({ column }) => column)),
    ...(hasValues
      ? {
          values: scope.own(
            createMatrixFrom(
              backend,
              entries.length,
              1,
              entries.map(({ value }) => value),
            ),
          ),
        }
      : {}),
  };
}

function denseOf(rows: number, entries: readonly Entry[]): number[] {
  const dense = Array.from({ length: rows * tableRows }, () => 0);
  for (const { row, column, value } of entries) dense[row * tableRows + column]! += value;
  return dense;
}

const tableValues = sampleInput(tableRows, columns, 3).values;
/** Entries repeat a place, and leave rows of the product and of the table empty. */
const repeated: readonly Entry[] = [
  { row: 2, column: 5, value: 0.5 },
  { row: 0, column: 1, value: -2 },
  { row: 2, column: 5, value: 1.25 },
  { row: 3, column: 1, value: 0.75 },
  { row: 2, column: 0, value: 3 },
];

describe('sparseTimesTable', () => {
  it('equals the dense product, and its gradient the dense gradient, for any entries', async () => {
    const entry = fc.record({
      row: fc.nat(3),
      column: fc.nat(tableRows - 1),
      value: fc.integer({ min: -8, max: 8 }).map((eighths) => eighths / 8),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
        using scope = new Scope(backend);
        const tape = scope.own(new Tape(backend));
        const table = scope.table(tableRows, columns);
        writeRows(tableValues, 0, table);
        const sparse = tape.table(table);
        const product = sparseTimesTable(createEntries(scope, 4, entries), sparse);
        const dense = tape.variable(scope.own(createMatrixFrom(backend, tableRows, columns, tableValues)));
        const expected = matmul(
          tape.constant(scope.own(createMatrixFrom(backend, 4, tableRows, denseOf(4, entries)))),
          dense,
        );
        const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
          Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
        expect(difference(await read(product.value), await read(expected.value))).toBeLessThan(1e-14);
        tape.backward(square(product));
        tape.backward(square(expected));
        const collected = scope.table(tableRows, columns);
        for (const { indices, rows } of sparse.gradients) scatterAddRows(rows, indices, collected);
        if (dense.gradient === undefined) throw new Error('the dense product has no gradient');
        expect(difference(await readRows(collected, 0, tableRows), await read(dense.gradient))).toBeLessThan(1e-12);
      }),
      { numRuns: 30 },
    );
  });

  it.each([true, false])('agrees with finite differences, values given: %s', async (hasValues) => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const table = scope.table(tableRows, columns);
    const entries = createEntries(scope, 4, repeated, hasValues);
    const weights = scope.own(createMatrixFrom(backend, 4, columns, sampleInput(4, columns, 5).values));
    const build = (values: readonly number[]): Variable => {
      tape.reset();
      writeRows(values, 0, table);
      return tanh(sparseTimesTable(entries, tape.table(table)));
    };
    const lossOf = async (values: readonly number[]): Promise<number> => {
      const [output, factors] = await Promise.all([read(build(values).value), read(weights)]);
      return Array.from(output).reduce((sum, value, i) => sum + value * factors[i]!, 0);
    };
    const expected: number[] = [];
    for (const [i, value] of tableValues.entries()) {
      const [above, below] = [
        await lossOf(tableValues.with(i, value + 1e-5)),
        await lossOf(tableValues.with(i, value - 1e-5)),
      ];
      expected.push((above - below) / 2e-5);
    }
    tape.reset();
    writeRows(tableValues, 0, table);
    const sparse = tape.table(table);
    tape.backward(tanh(sparseTimesTable(entries, sparse)), weights);
    expect(sparse.gradients.map(({ indices }) => Array.from(indices.values.subarray(0, indices.count)))).toEqual([
      [5, 1, 5, 1, 0],
    ]);
    const gradient = scope.table(tableRows, columns);
    for (const { indices, rows } of sparse.gradients) scatterAddRows(rows, indices, gradient);
    const actual = await readRows(gradient, 0, tableRows);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.01);
    for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-8);
  });

  it('takes memory by the entries, not by the table', () => {
    using scope = new Scope(backend);
    const table = scope.table(100_000, 2);
    const entries = createEntries(scope, 2, [{ row: 1, column: 99_999, value: 2 }]);
    const before = backend.memory().bytes;
    const tape = scope.own(new Tape(backend));
    tape.backward(sparseTimesTable(entries, tape.table(table)));
    expect(backend.memory().bytes - before).toBeLessThan(200);
  });

  it('refuses entries whose parts differ, places outside, and a table of an earlier step', () => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const handle = scope.table(tableRows, columns);
    const table = tape.table(handle);
    const good = createEntries(scope, 4, repeated);
    const other = createEntries(scope, 4, repeated.slice(1));
    const cases: [SparseEntries, string, string][] = [
      [{ ...good, rowIndices: other.rowIndices }, 'shape', '4 row indices for 5 column indices'],
      [{ ...good, values: other.values }, 'shape', 'values is 4×1 for 5 entries; it must be 5×1'],
      [{ ...good, rows: -1 }, 'shape', 'rows is -1'],
      [{ ...good, rows: 3 }, 'index-out-of-range', 'sparseTimesRows'],
      [createEntries(scope, 1, [{ row: 0, column: tableRows, value: 1 }]), 'index-out-of-range', 'sparseTimesRows'],
    ];
    for (const [entries, code, message] of cases) {
      expect(() => sparseTimesTable(entries, table)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) }),
      );
    }
    tape.reset();
    expect(() => sparseTimesTable(good, table)).toThrow(expect.objectContaining({ code: 'stale-variable' }));
  });
});
