import { growTable, writeRows, type Backend, type RowTable } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';

/** One constant for each class (D×1) and their sum; for losses that have them. */
export interface ClassConstants {
  readonly table: RowTable;
  readonly sum: number;
}

/** @throws OutputLayerError `shape` unless there is one for each class. */
export function createClassConstants(backend: Backend, values: ArrayLike<number>, classes: number): ClassConstants {
  if (values.length !== classes) {
    throw new OutputLayerError(
      'shape',
      `factored layer: the loss has ${values.length} class constants, the layer ${classes} classes`,
    );
  }
  const table = backend.createTable(classes, 1);
  writeRows(values, 0, table);
  return { table, sum: sumOf(values) };
}

/** The table grows in place. */
export function appendClassConstants({ table, sum }: ClassConstants, values: ArrayLike<number>): ClassConstants {
  const first = table.rows;
  growTable(table, first + values.length);
  writeRows(values, first, table);
  return { table, sum: sum + sumOf(values) };
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
