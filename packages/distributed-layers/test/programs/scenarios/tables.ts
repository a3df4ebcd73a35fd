/** Rows gathered from their owners and added to them, by ranks that want the same and different ones, some twice. */
import { deepStrictEqual, ok, rejects } from 'node:assert';
import type { Communicator } from '@vastmax/collectives';
import { ShardedTable } from '@vastmax/distributed-layers';
import { createPlainBackend } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';

const rows = 37;
const columns = 4;

export async function tables(communicator: Communicator): Promise<number> {
  const { rank, size } = communicator;
  using table = new ShardedTable(communicator, createPlainBackend({ precision: 'f64' }), rows, columns);
  const valueOf = (row: number, column: number): number => row + column / 10;
  table.fill((row) => Array.from({ length: columns }, (_, column) => valueOf(row, column)));
  const expected = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => valueOf(row, column)),
  );
  ok(table.own.rows === Math.floor((rows - rank + size - 1) / size));
  for (let round = 0; round < 20; round++) {
    // Every rank draws the lists of all ranks, and takes its own.
    const random = new RandomGenerator(round + 1);
    const lists = Array.from({ length: size }, (_, r) =>
      Int32Array.from({ length: r === 1 && round % 3 === 0 ? 0 : random.integer(12) }, () => random.integer(rows)),
    );
    const mine = lists[rank] ?? new Int32Array(0);
    const out = new Float64Array(mine.length * columns);
    await table.gather(mine, mine.length, out);
    deepStrictEqual(
      Array.from(out),
      Array.from(mine).flatMap((row) => expected[row] ?? []),
    );
    const additions = (r: number, i: number, column: number): number => r + i / 8 + column;
    await table.scatterAdd(
      mine,
      mine.length,
      Float64Array.from({ length: out.length }, (_, i) => additions(rank, Math.floor(i / columns), i % columns)),
      0.5,
    );
    lists.forEach((list, r) => {
      list.forEach((row, i) => {
        const values = expected[row] ?? [];
        for (let column = 0; column < columns; column++)
          values[column] = (values[column] ?? 0) + 0.5 * additions(r, i, column);
      });
    });
  }
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const out = new Float64Array(rows * columns);
  await table.gather(all, rows, out);
  const largest = Math.max(
    ...out.map((value, i) => Math.abs(value - (expected[Math.floor(i / columns)]?.[i % columns] ?? Number.NaN))),
  );
  await rejects(table.gather(Int32Array.of(rows), 1, out), /row 37 at position 0 is not one of 0 to 36/);
  return largest;
}
