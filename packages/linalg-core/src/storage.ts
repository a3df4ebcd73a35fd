/**
 * Handles as operations see them: the checks that every operation begins with, so that kernels need none; creating,
 * writing and reading; and Workspace, the handles that a loop reuses.
 */
import type { Backend, Indices, Matrix, RowTable } from './backend.ts';
import { describeShape, LinalgError } from './errors.ts';
import type { FloatArray, MemoryReport } from './kernel-types.ts';

type Handle = Matrix | RowTable | Indices;

export function checkAlive(operation: string, role: string, handle: Handle): void {
  if (handle.disposed) {
    const isView = 'viewed' in handle && handle.viewed !== undefined;
    const was = isView ? 'is a view that was disposed, or whose table has grown or was disposed' : 'was disposed';
    throw new LinalgError('disposed', `${operation}: ${role} ${was}`);
  }
  if (handle.backend.disposed) {
    throw new LinalgError('disposed', `${operation}: the backend '${handle.backend.name}' of ${role} was disposed`);
  }
}

/** Alive, and on `backend`, that of out. */
export function checkOperand(operation: string, role: string, handle: Handle, backend: Backend): void {
  checkAlive(operation, role, handle);
  if (handle.backend !== backend) {
    throw new LinalgError(
      'backend-mismatch',
      `${operation}: ${role} lives on '${handle.backend.name}', out on '${backend.name}'${
        handle.backend.name === backend.name ? ' (two instances)' : ''
      }; read it and write it to the other backend`,
    );
  }
}

export function checkNotAliased(operation: string, role: string, handle: Handle, out: Handle): void {
  if (handle === out) {
    throw new LinalgError(
      'aliasing',
      `${operation}: ${role} and out are the same handle; give out a matrix of its own`,
    );
  }
}

export function checkShape(operation: string, role: string, handle: Matrix, rows: number, columns: number): void {
  if (handle.rows !== rows || handle.columns !== columns) {
    throw new LinalgError('shape', `${operation}: ${role} is ${describeShape(handle)}, expected ${rows}×${columns}`);
  }
}

/** A factor that is NaN or infinite is a mistake of the caller, not data. */
export function checkFinite(operation: string, role: string, value: number): void {
  if (!Number.isFinite(value))
    throw new LinalgError('bad-option', `${operation}: ${role} must be a finite number, got ${value}`);
}

export function checkRange(operation: string, what: string, first: number, count: number, available: number): void {
  if (
    !Number.isSafeInteger(first) ||
    !Number.isSafeInteger(count) ||
    first < 0 ||
    count < 0 ||
    first + count > available
  ) {
    throw new LinalgError(
      'index-out-of-range',
      `${operation}: ${count} ${what} from ${first} on were asked for, there are ${available}`,
    );
  }
}

export function checkIndices(operation: string, indices: Indices, rows: number, what: string): void {
  if (indices.maximum >= rows) {
    throw new LinalgError(
      'index-out-of-range',
      `${operation}: index ${indices.maximum} is out of range, ${what} has ${rows} rows (0 to ${rows - 1})`,
    );
  }
}

export function checkSquare(operation: string, role: string, handle: Matrix): void {
  if (handle.rows !== handle.columns) {
    throw new LinalgError('shape', `${operation}: ${role} is ${describeShape(handle)}, it must be square`);
  }
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

/** A typed array on the host, of the backend's precision. */
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

/** Copies rows·columns host numbers into `out`. @throws LinalgError `shape` when there are more or fewer. */
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
export function read<T extends FloatArray>(source: Matrix, out: T): Promise<T>;
export function read(source: Matrix, out?: FloatArray): Promise<FloatArray>;
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
export function readSync<T extends FloatArray>(source: Matrix, out: T): T;
export function readSync(source: Matrix, out?: FloatArray): FloatArray;
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
 * Sets the row numbers: the first `count` of `values`.
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

/** Overwrites rows `firstRow` … with `values` (a whole number of rows). */
export function writeRows(values: ArrayLike<number>, firstRow: number, table: RowTable): void {
  checkAlive('writeRows', 'table', table);
  const count = table.columns === 0 ? 0 : values.length / table.columns;
  if (!Number.isInteger(count)) {
    throw new LinalgError('shape', `writeRows: ${values.length} values are not whole rows of ${table.columns} columns`);
  }
  checkRange('writeRows', 'rows', firstRow, count, table.rows);
  table.backend.writeRows(values, firstRow, count, table);
}

/** Rows `firstRow` … `firstRow + count - 1` as of this call. For reading a table by blocks. */
export function readRows<T extends FloatArray>(table: RowTable, firstRow: number, count: number, out: T): Promise<T>;
export function readRows(table: RowTable, firstRow: number, count: number, out?: FloatArray): Promise<FloatArray>;
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

/** Appends zero rows until the table has `rows`; the old ones are unchanged. */
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

/**
 * Named matrices and index lists for a loop: each step gets the same handle, resized to what it needs; a new one is
 * created only when it is too small. Capacity grows by half at least, so that a loop with varying minibatches and
 * target counts stops creating handles after its first few steps.
 */
export class Workspace implements Disposable {
  readonly backend: Backend;
  readonly #matrices = new Map<string, Matrix>();
  readonly #indices = new Map<string, Indices>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** The matrix of that name as rows×columns. Its content is undefined: write before you read. */
  matrix(name: string, rows: number, columns: number): Matrix {
    const existing = this.#matrices.get(name);
    const needed = rows * columns;
    if (existing !== undefined && existing.capacity >= needed) return existing.resize(rows, columns);
    const capacity = existing === undefined ? needed : Math.max(needed, Math.ceil(existing.capacity * 1.5));
    existing?.[Symbol.dispose]();
    const created = this.backend.createMatrix(1, capacity).resize(rows, columns);
    this.#matrices.set(name, created);
    return created;
  }

  /** The index list of that name, holding the first `count` of `values`. */
  indices(name: string, values: Int32Array, count: number = values.length): Indices {
    let list = this.#indices.get(name);
    if (list === undefined || list.capacity < count) {
      const capacity = list === undefined ? count : Math.max(count, Math.ceil(list.capacity * 1.5));
      list?.[Symbol.dispose]();
      list = this.backend.createIndices(capacity);
      this.#indices.set(name, list);
    }
    writeIndices(values, list, count);
    return list;
  }

  [Symbol.dispose](): void {
    for (const matrix of this.#matrices.values()) matrix[Symbol.dispose]();
    for (const list of this.#indices.values()) list[Symbol.dispose]();
    this.#matrices.clear();
    this.#indices.clear();
  }
}
