import { writeRows, type Backend } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import { TableParameter } from '../parameters.ts';

/** A table of `rows` normal vectors with the given standard deviation. O(rows·columns), row by row. */
export function createEmbeddings(
  backend: Backend,
  rows: number,
  columns: number,
  scale: number,
  random: RandomGenerator,
): TableParameter {
  const embeddings = new TableParameter('embeddings', backend.createTable(rows, columns));
  const row = new Float64Array(columns);
  for (let word = 0; word < rows; word++) {
    for (let i = 0; i < columns; i++) row[i] = scale * random.normal();
    writeRows(row, word, embeddings.table);
  }
  return embeddings;
}
