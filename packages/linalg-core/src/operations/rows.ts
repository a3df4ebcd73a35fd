import { LinalgError } from '../errors.ts';
import { describeShape, isRowTable, type Indices, type Matrix, type RowTable } from '../handles.ts';
import { checkAlive, checkFinite, checkIndices, checkNotAliased, checkOperand, checkShape } from './checks.ts';

/** out_i = source[indices_i]; out is count×columns. O(count·columns), whatever the number of rows of the source. */
export function gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
  checkAlive('gatherRows', 'out', out);
  checkOperand('gatherRows', 'source', source, out.backend);
  checkOperand('gatherRows', 'indices', indices, out.backend);
  checkNotAliased('gatherRows', 'source', source, out);
  checkIndices('gatherRows', indices, source.rows, nameOf(source));
  checkShape('gatherRows', 'out', out, indices.count, source.columns);
  out.backend.gatherRows(source, indices, out);
}

export interface ScatterOptions {
  /** Factor of every row added, 1 unless given. */
  readonly scale?: number;
}

/** destination[indices_i] += scale·source_i. Repeated indices accumulate, deterministically. O(count·columns). */
export function scatterAddRows(
  source: Matrix,
  indices: Indices,
  destination: Matrix | RowTable,
  options: ScatterOptions = {},
): void {
  const { scale = 1 } = options;
  checkScatter('scatterAddRows', source, indices, destination);
  checkFinite('scatterAddRows', 'scale', scale);
  destination.backend.scatterAddRows(source, indices, scale, destination);
}

/** destination[indices_i] = source_i. Of a repeated index the last row stays. O(count·columns). */
export function scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
  checkScatter('scatterRows', source, indices, destination);
  destination.backend.scatterRows(source, indices, destination);
}

function checkScatter(operation: string, source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
  checkAlive(operation, 'destination', destination);
  checkOperand(operation, 'source', source, destination.backend);
  checkOperand(operation, 'indices', indices, destination.backend);
  checkNotAliased(operation, 'source', source, destination);
  checkIndices(operation, indices, destination.rows, nameOf(destination));
  if (source.rows !== indices.count || source.columns !== destination.columns) {
    throw new LinalgError(
      'shape',
      `${operation}: source is ${describeShape(source)}, expected ${indices.count}×${destination.columns} (a row for each index, as wide as the destination)`,
    );
  }
}

function nameOf(rows: Matrix | RowTable): string {
  return isRowTable(rows) ? 'the table' : 'the matrix';
}
