/**
 * Selects the part of class-ordered values that a rank stores: its initial rows, added rows, constants.
 */
import { writeRows, type RowTable } from '@vastmax/linalg-core';
import { checkRows, createNormalRows, rowsPerBlock } from '@vastmax/spherical-losses/factored-parts';
import { firstLocalAt, ownedCount, rowOf, type RowPartition } from '../rows/row-partition.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';

type Start = Pick<DistributedFactoredLayerOptions, 'initialRows' | 'initialScale' | 'seed'>;

/**
 * A start given by the user is requested row by row; a seeded start is a stream, from which every rank drops the rows
 * that are not its own.
 */
export function fillOwnRows(
  table: RowTable,
  partition: RowPartition,
  rank: number,
  width: number,
  { initialRows, initialScale, seed }: Start,
): void {
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

/** Reads a stream of all rows block by block and keeps the rows of this rank. */
export function keepOwnRows(
  table: RowTable,
  partition: RowPartition,
  rank: number,
  nextRows: (first: number, count: number) => Float64Array,
): void {
  const width = table.columns;
  // Of a whole block of rows one rank may be the owner where they are in groups.
  const ownPerBlock = partition.groups === undefined ? Math.ceil(rowsPerBlock / partition.size) : rowsPerBlock;
  const own = new Float64Array(ownPerBlock * width);
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

/** Of rows in the order of their classes, from class `first` on, those that this rank stores. */
export function ownRowsOf(
  values: ArrayLike<number>,
  width: number,
  first: number,
  { size }: RowPartition,
  rank: number,
): Float64Array {
  const partition: RowPartition = { rows: first + values.length / width, size };
  const firstLocal = firstLocalAt(partition, rank, first);
  const own = new Float64Array(ownedCount(partition, rank, first) * width);
  for (let local = 0, place = 0; place < own.length; local++) {
    const from = (rowOf(partition, rank, firstLocal + local) - first) * width;
    for (let i = from; i < from + width; i++) own[place++] = values[i]!;
  }
  return own;
}
