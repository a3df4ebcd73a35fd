import { writeRows, type RowTable } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import { rowsPerBlock } from './gram-matrix.ts';
import { checkRows, type FactoredOutputLayerOptions } from './layer-options.ts';

/** Rows of a seeded normal start, asked for block after block from the first; the array is reused. */
export function createNormalRows(
  width: number,
  scale = 0.01,
  seed = 1,
): (first: number, count: number) => Float64Array {
  const random = new RandomGenerator(seed);
  let block = new Float64Array(0);
  return (_first, count) => {
    const length = count * width;
    if (block.length < length) block = new Float64Array(length);
    for (let i = 0; i < length; i++) block[i] = scale * random.normal();
    return block.subarray(0, length);
  };
}

/**
 * The rows that the options ask for, block after block.
 * @throws OutputLayerError `shape`, `non-finite` for rows of the user's own.
 */
export function fillRows(
  table: RowTable,
  { initialScale, seed, initialRows }: Pick<FactoredOutputLayerOptions, 'initialScale' | 'seed' | 'initialRows'>,
): void {
  const { rows, columns } = table;
  const rowsFrom = initialRows ?? createNormalRows(columns, initialScale, seed);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, rows - first);
    const values = rowsFrom(first, count);
    checkRows(values, first, count, columns);
    writeRows(values, first, table);
  }
}
