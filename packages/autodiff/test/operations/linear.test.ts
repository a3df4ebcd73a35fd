import {
  createPlainBackend,
  read,
  Scope,
  scatterAddRows,
  readRows,
  write,
  writeIndices,
  writeRows,
  type Indices,
  type RowTable,
} from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { add, gatherRows, gatherTable, multiply, square, Tape } from '../../src/index.ts';

const backend = createPlainBackend({ precision: 'f64' });
const tableValues = [1, 2, 3, 4, 5, 6, 7, 8];

function createTable(scope: Scope): RowTable {
  const table = scope.table(4, 2);
  writeRows(tableValues, 0, table);
  return table;
}

function createIndices(scope: Scope, ...values: number[]): Indices {
  const indices = scope.indices(values.length);
  writeIndices(Int32Array.from(values), indices);
  return indices;
}

describe('gatherTable', () => {
  it('gathers, and gives one row-sparse gradient for each gather, duplicated indices kept apart', async () => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const table = tape.table(createTable(scope));
    const first = createIndices(scope, 2, 0, 2);
    const second = createIndices(scope, 3);
    const a = gatherTable(table, first);
    const b = gatherTable(table, second);
    expect(Array.from(await read(a.value))).toEqual([5, 6, 1, 2, 5, 6]);
    expect(table.gradients).toEqual([]);
    tape.backward(square(b));
    expect(table.gradients).toHaveLength(1);
    tape.backward(square(a));
    tape.backward(a);
    const { gradients } = table;
    expect(gradients.map(({ indices }) => indices)).toEqual([first, second]);
    expect(Array.from(await read(gradients[0]!.rows))).toEqual([11, 13, 3, 5, 11, 13]);
    expect(Array.from(await read(gradients[1]!.rows))).toEqual([14, 16]);
  });

  it('applied by scatter equals the dense gradient of gatherRows', async () => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const table = createTable(scope);
    const dense = scope.matrix(4, 2);
    write(tableValues, dense);
    const first = createIndices(scope, 1, 1, 3, 1);
    const second = createIndices(scope, 0, 3, 3, 2);
    const sparse = tape.table(table);
    const variable = tape.variable(dense);
    tape.backward(multiply(gatherTable(sparse, first), gatherTable(sparse, second)));
    tape.backward(multiply(gatherRows(variable, first), gatherRows(variable, second)));
    const expected = variable.gradient === undefined ? [] : Array.from(await read(variable.gradient));
    for (const { indices, rows } of sparse.gradients) scatterAddRows(rows, indices, table);
    const after = await readRows(table, 0, 4);
    expect(Array.from(after, (value, i) => value - tableValues[i]!)).toEqual(expected);
  });

  it('keeps the gradients of two gathers apart even where they are equal', () => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const table = tape.table(createTable(scope));
    const indices = createIndices(scope, 1, 2);
    tape.backward(add(gatherTable(table, indices), gatherTable(table, indices)));
    const [a, b] = table.gradients;
    expect(a?.rows).toBeDefined();
    expect(a?.rows).not.toBe(b?.rows);
  });

  it('takes memory by the gather, not by the table', () => {
    using scope = new Scope(backend);
    const table = scope.table(100_000, 2);
    const indices = createIndices(scope, 7, 99_999);
    const before = backend.memory().bytes;
    const tape = scope.own(new Tape(backend));
    tape.backward(square(gatherTable(tape.table(table), indices)));
    expect(backend.memory().bytes - before).toBeLessThan(10 * 2 * 2 * 8);
  });

  it('rejects an index beyond the table and a table of an earlier step', () => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const table = tape.table(createTable(scope));
    const outside = createIndices(scope, 4);
    expect(() => gatherTable(table, outside)).toThrow(expect.objectContaining({ code: 'index-out-of-range' }));
    expect(() => gatherRows(tape.variable(scope.matrix(4, 2)), outside)).toThrow(
      expect.objectContaining({ code: 'index-out-of-range' }),
    );
    tape.reset();
    expect(() => gatherTable(table, createIndices(scope, 1))).toThrow(
      expect.objectContaining({ code: 'stale-variable' }),
    );
  });
});
