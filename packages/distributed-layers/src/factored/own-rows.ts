/**
 * Selects the part of class-ordered values that a rank stores: its initial rows, added rows, constants.
 */
import { writeRows, type RowTable } from '@vastmax/linalg-core';
import { checkRows, createNormalRows } from '@vastmax/spherical-losses/factored-parts';
import { firstLocalAt, ownedCount, rowOf, type RowPartition } from '../rows/row-partition.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';

type Start = Pick<DistributedFactoredLayerOptions, 'initialRows' | 'initialScale' | 'seed'>;

/** The rows of this rank, of a start given by the user or of a seeded one: either is asked row by row. */
export function fillOwnRows(
  table: RowTable,
  partition: RowPartition,
  rank: number,
  width: number,
  { initialRows, initialScale, seed }: Start,
): void {
  const drawn = createNormalRows(width, initialScale, seed);
  writeOwnRows(table, partition, rank, (row) => {
    if (initialRows === undefined) return drawn(row, 1);
    const values = initialRows(row, 1);
    checkRows(values, row, 1, width);
    return values;
  });
}

/** @param rowOfAll the numbers of a row among those of all ranks. */
export function writeOwnRows(
  table: RowTable,
  partition: RowPartition,
  rank: number,
  rowOfAll: (row: number) => ArrayLike<number>,
): void {
  for (let local = 0; local < table.rows; local++) writeRows(rowOfAll(rowOf(partition, rank, local)), local, table);
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
