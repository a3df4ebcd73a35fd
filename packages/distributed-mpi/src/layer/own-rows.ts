/** What a rank starts with: its part of the rows and of the class constants. */
import { writeRows, type Backend, type RowTable } from '@vastmax/linalg-core';
import { checkRows, createClassConstants, createNormalRows, rowsPerBlock, type ClassConstants } from '@vastmax/spherical-losses/factored-parts';
import { firstLocalAt, ownedCount, rowOf, type RowPartition } from '../rows/row-partition.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';

type Start = Pick<DistributedFactoredLayerOptions, 'initialRows' | 'initialScale' | 'seed'>;

/** The rows of a start of the user's own are asked for one by one; those of a seed are a stream, of which every rank drops what is not its own. */
export function fillOwnRows(table: RowTable, partition: RowPartition, rank: number, width: number, { initialRows, initialScale, seed }: Start): void {
  if (initialRows !== undefined) {
    for (let local = 0; local < table.rows; local++) {
      const row = rowOf(partition, rank, local);
      const values = initialRows(row, 1);
      checkRows(values, row, 1, width);
      writeRows(values, local, table);
    }
    return;
  }
  keepOwnRows(table, partition, rank, createNormalRows(width, initialScale, seed));
}

/** Of a stream of all rows, which is asked for block after block, a rank keeps its own. */
export function keepOwnRows(table: RowTable, partition: RowPartition, rank: number, nextRows: (first: number, count: number) => Float64Array): void {
  const width = table.columns;
  const own = new Float64Array(Math.ceil(rowsPerBlock / partition.size) * width);
  for (let first = 0; first < partition.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, partition.rows - first);
    const values = nextRows(first, count);
    const firstLocal = firstLocalAt(partition, rank, first);
    const ownRows = ownedCount(partition, rank, first, count);
    for (let i = 0; i < ownRows; i++) {
      const from = (rowOf(partition, rank, firstLocal + i) - first) * width;
      own.set(values.subarray(from, from + width), i * width);
    }
    if (ownRows > 0) writeRows(own.subarray(0, ownRows * width), firstLocal, table);
  }
}

/** All constants, by class, for the targets; and those of this rank's own classes, for scoring them. */
export function fillOwnConstants(backend: Backend, values: ArrayLike<number>, partition: RowPartition, rank: number): { all: ClassConstants; own: ClassConstants } {
  const all = createClassConstants(backend, values, partition.rows);
  const own = backend.createTable(ownedCount(partition, rank), 1);
  writeRows(Float64Array.from({ length: own.rows }, (_, local) => values[rowOf(partition, rank, local)]!), 0, own);
  return { all, own: { table: own, sum: all.sum } };
}
