/** Tables on the heap and in host memory: the same numbers, growth from one to the other, and what is given back. */
import {
  combineRanges,
  createMatrixFrom,
  exponentiateRanges,
  gatherRows,
  growTable,
  read,
  readRows,
  scatterAddRows,
  scatterRows,
  Scope,
  updateRanges,
  updateRows,
  Workspace,
  writeIndices,
  writeRows,
  type Backend,
  type MomentUpdate,
  type RowTable,
} from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { createVariant } from '../src/create-wasm-backend.ts';
import { rowsOf } from '../src/handle-store.ts';
import { HeapTable } from '../src/heap-table.ts';

const columns = 37;
const rows = 500;

function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 2 ** 30 - 1;
  });
}

function isOnHeap(table: RowTable): boolean {
  return rowsOf(table) instanceof HeapTable;
}

async function withBackend(maxTableBytes: number, body: (backend: Backend) => Promise<void>): Promise<void> {
  const backend = await createVariant({ threads: 1, relaxed: false, maxTableBytes });
  try {
    await body(backend);
  } finally {
    await backend.dispose();
  }
}

const updates: readonly MomentUpdate[] = [
  { rule: 'momentum', learningRate: 0.1, momentum: 0.9 },
  { rule: 'adagrad', learningRate: 0.1, epsilon: 1e-8 },
  { rule: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3 },
];

/** Every row kernel on tables, of which only the first so many bytes fit the heap. */
async function runRowKernels(maxTableBytes: number): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  await withBackend(maxTableBytes, async (backend) => {
    using scope = new Scope(backend);
    const list = scope.indices(400);
    const source = scope.own(createMatrixFrom(backend, 400, columns, numbers(400 * columns, 2)));
    const gathered = scope.matrix(400, columns);
    for (const [i, update] of updates.entries()) {
      const tables = Array.from({ length: update.rule === 'adam' ? 3 : 2 }, (_, place) => {
        const table = scope.table(rows, columns);
        writeRows(
          numbers(rows * columns, 10 * i + place).map((value) => (place === 0 ? value : value * value)),
          0,
          table,
        );
        return table;
      });
      const [table, ...moments] = tables as [RowTable, ...RowTable[]];
      writeIndices(
        Int32Array.from({ length: 400 }, (_, row) => (row * 7) % 93),
        list,
      );
      scatterAddRows(source, list, table, { scale: -0.3 });
      writeIndices(
        Int32Array.from({ length: 400 }, (_, row) => (row * 7) % rows),
        list,
      );
      updateRows(source, list, table, moments, update, scope.own(new Workspace(backend)));
      gatherRows(table, list, gathered);
      scatterRows(source, list, table);
      results.push((await read(gathered)) as Float32Array);
      const starts = scope.indices(60);
      const sources = scope.indices(60);
      const starting = Int32Array.from({ length: 60 }, (_, range) => Math.min(9 * range, 495));
      writeIndices(starting, starts);
      writeIndices(
        Int32Array.from({ length: 60 }, (_, range) => (range * 11) % 400),
        sources,
      );
      const workspace = scope.own(new Workspace(backend));
      const from = { source, sourceIndices: sources };
      const [factors, maxima, sums, combined] = [
        scope.matrix(60, 9),
        scope.matrix(60, 1),
        scope.matrix(60, 1),
        scope.matrix(60, columns),
      ];
      exponentiateRanges(table, starts, from, factors, maxima, sums, workspace);
      combineRanges(table, starts, factors, combined, workspace);
      updateRanges(factors, from, starts, table, workspace, { scale: -0.1 });
      for (const each of [factors, maxima, sums, combined]) results.push((await read(each)) as Float32Array);
      for (const each of tables) results.push((await readRows(each, 0, rows)) as Float32Array);
    }
  });
  return results;
}

describe('tables of a wasm backend', () => {
  it('have the same bits on the heap, in host memory and divided between them', async () => {
    const onHeap = await runRowKernels(2 ** 30);
    expect(await runRowKernels(0)).toEqual(onHeap);
    expect(await runRowKernels(4 * rows * columns)).toEqual(onHeap);
  });

  it('move to host memory when they grow beyond their share, and leave room for others', async () => {
    await withBackend(4 * 1000, async (backend) => {
      const before = backend.memory();
      {
        using table = backend.createTable(50, 10);
        using other = backend.createTable(51, 10);
        expect([isOnHeap(table), isOnHeap(other)]).toEqual([true, false]);
        writeRows(numbers(500, 3), 0, table);
        growTable(table, 99);
        expect(isOnHeap(table)).toBe(true);
        growTable(table, 101);
        expect(isOnHeap(table)).toBe(false);
        expect(await readRows(table, 0, 50)).toEqual(numbers(500, 3));
        expect(await readRows(table, 50, 51)).toEqual(new Float32Array(510));
        using third = backend.createTable(100, 10);
        expect(isOnHeap(third)).toBe(true);
        expect(backend.memory().bytes - before.bytes).toBe(4 * 10 * (101 + 51 + 100));
      }
      expect(backend.memory()).toEqual(before);
      using again = backend.createTable(100, 10);
      expect(isOnHeap(again)).toBe(true);
    });
  });

  it('are zero in memory that was used before, and grow across pieces', async () => {
    await withBackend(2 ** 30, async (backend) => {
      // 2²² rows of one number are a piece.
      const perPiece = 2 ** 22;
      for (let round = 0; round < 2; round++) {
        using table = backend.createTable(perPiece - 1, 1);
        expect((await readRows(table, perPiece - 3, 2)).every((value) => value === 0)).toBe(true);
        writeRows([1, 2], perPiece - 3, table);
        growTable(table, perPiece + 2);
        expect([...(await readRows(table, perPiece - 3, 5))]).toEqual([1, 2, 0, 0, 0]);
        writeRows([3, 4, 5], perPiece - 1, table);
        expect([...(await readRows(table, perPiece - 3, 5))]).toEqual([1, 2, 3, 4, 5]);
      }
    });
  });

  it('keep their numbers while the heap grows', async () => {
    await withBackend(2 ** 30, async (backend) => {
      using table = backend.createTable(3, 2);
      writeRows([1, 2, 3, 4, 5, 6], 0, table);
      using large = backend.createMatrix(1500, 1500);
      expect(large.rows).toBe(1500);
      expect([...(await readRows(table, 1, 2))]).toEqual([3, 4, 5, 6]);
    });
  });
});
