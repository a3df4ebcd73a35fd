import type { Backend, FloatArray, MemoryReport } from '../backend.ts';
import { LinalgError } from '../errors.ts';
import { describeShape, type Indices, type Matrix, type RowTable } from '../handles.ts';
import { checkAlive, checkRange } from './checks.ts';

/** A typed array of the backend's own precision, on the host. */
export function createHostArray(backend: Backend, length: number): FloatArray {
  return backend.precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
}

/**
 * A matrix that holds `values` (rows·columns numbers, row by row).
 * @throws LinalgError `shape` when the count differs.
 */
export function createMatrixFrom(backend: Backend, rows: number, columns: number, values: ArrayLike<number>): Matrix {
  const matrix = backend.createMatrix(rows, columns);
  write(values, matrix);
  return matrix;
}

/** Copy rows·columns host numbers into `out`. @throws LinalgError `shape` when there are more or fewer. */
export function write(values: ArrayLike<number>, out: Matrix): void {
  checkAlive('write', 'out', out);
  if (values.length !== out.rows * out.columns) {
    throw new LinalgError(
      'shape',
      `write: ${values.length} values for a ${describeShape(out)} matrix of ${out.rows * out.columns}`,
    );
  }
  out.backend.write(values, out);
}

/**
 * The numbers of `source` as of this call, row by row.
 * @param out where to; at least rows·columns long, of the backend's precision. Left out: a new array.
 * @throws LinalgError `device-lost` (as a rejection) when the device is gone.
 */
export async function read(source: Matrix, out?: FloatArray): Promise<FloatArray> {
  checkAlive('read', 'source', source);
  const length = source.rows * source.columns;
  const target = out ?? createHostArray(source.backend, length);
  checkHostArray('read', target, length, source.backend);
  await source.backend.read(source, target);
  return target;
}

/**
 * As {@link read}, without waiting: for backends whose numbers are in host memory (plain, wasm, openblas).
 * @throws LinalgError `no-sync-read` where the backend's numbers are on a device.
 */
export function readSync(source: Matrix, out?: FloatArray): FloatArray {
  checkAlive('readSync', 'source', source);
  const { backend } = source;
  const length = source.rows * source.columns;
  const target = out ?? createHostArray(backend, length);
  checkHostArray('readSync', target, length, backend);
  if (backend.readSync === undefined) {
    throw new LinalgError(
      'no-sync-read',
      `readSync: the backend '${backend.name}' cannot read without waiting; use 'await read(source)', or a backend in host memory (plain, wasm, openblas)`,
    );
  }
  backend.readSync(source, target);
  return target;
}

/**
 * Set the row numbers; the first `count` of `values`.
 * @throws LinalgError `index-out-of-range` for a negative one, `shape` past the capacity.
 */
export function writeIndices(values: Int32Array, indices: Indices, count: number = values.length): void {
  checkAlive('writeIndices', 'indices', indices);
  checkRange('writeIndices', 'values', 0, count, values.length);
  if (count > indices.capacity) {
    throw new LinalgError(
      'shape',
      `writeIndices: ${count} indices, the handle was created with room for ${indices.capacity}`,
    );
  }
  indices.take(values, count);
  indices.backend.indicesWritten(indices);
}

/** Overwrite rows `firstRow` … with `values` (a whole number of rows). */
export function writeRows(values: ArrayLike<number>, firstRow: number, table: RowTable): void {
  checkAlive('writeRows', 'table', table);
  const count = table.columns === 0 ? 0 : values.length / table.columns;
  if (!Number.isInteger(count)) {
    throw new LinalgError('shape', `writeRows: ${values.length} values are not whole rows of ${table.columns} columns`);
  }
  checkRange('writeRows', 'rows', firstRow, count, table.rows);
  table.backend.writeRows(values, firstRow, count, table);
}

/** Rows `firstRow` … `firstRow + count - 1` as of this call. For streaming a table by blocks. */
export async function readRows(
  table: RowTable,
  firstRow: number,
  count: number,
  out?: FloatArray,
): Promise<FloatArray> {
  checkAlive('readRows', 'table', table);
  checkRange('readRows', 'rows', firstRow, count, table.rows);
  const target = out ?? createHostArray(table.backend, count * table.columns);
  checkHostArray('readRows', target, count * table.columns, table.backend);
  await table.backend.readRows(table, firstRow, count, target);
  return target;
}

/** Append zero rows until the table has `rows`; the old ones stay as they are. */
export function growTable(table: RowTable, rows: number): void {
  checkAlive('growTable', 'table', table);
  if (!Number.isSafeInteger(rows) || rows < table.rows) {
    throw new LinalgError(
      'shape',
      `growTable: the table has ${table.rows} rows, cannot become ${rows}; a table only grows`,
    );
  }
  if (rows === table.rows) return;
  table.backend.growTable(table, rows);
  table.grown(rows);
}

/** Difference of two memory reports, for leak checks: all zero when nothing was left behind. */
export function memoryDifference(after: MemoryReport, before: MemoryReport): MemoryReport {
  return {
    matrices: after.matrices - before.matrices,
    tables: after.tables - before.tables,
    indices: after.indices - before.indices,
    bytes: after.bytes - before.bytes,
  };
}

function checkHostArray(operation: string, target: FloatArray, length: number, backend: Backend): void {
  if (target.length < length) {
    throw new LinalgError('shape', `${operation}: out holds ${target.length} numbers, ${length} are to be read`);
  }
  const bytes = backend.precision === 'f32' ? 4 : 8;
  if (target.BYTES_PER_ELEMENT !== bytes) {
    throw new LinalgError(
      'bad-option',
      `${operation}: out is a ${target.constructor.name}, '${backend.name}' stores ${backend.precision}; use createHostArray`,
    );
  }
}
