/**
 * The state of a module (a body, an output layer, an optimiser) as a checkpoint stores it: named tensors, read by
 * blocks of rows so that a table of ten gigabytes is never in memory twice, and a JSON object for everything else. A
 * module checks a state before it takes it over; whatever does not fit is one kind of error, StateError.
 */
import type { Matrix, RowTable } from './backend.ts';
import { CodedError, isCodedError } from './errors.ts';
import { read, readRows, write, writeRows } from './storage.ts';

/** The numbers of a tensor, or its bytes where they are codes. */
export type TensorValues = Float32Array | Float64Array | Int32Array | Uint8Array;
/** `u8`: codes of quantised numbers. */
export type TensorPrecision = 'f32' | 'f64' | 'i32' | 'u8';

/** A named tensor that is read by blocks of rows, so that it never has to be in memory as a whole. */
export interface TensorSource {
  readonly name: string;
  readonly precision: TensorPrecision;
  readonly rows: number;
  readonly columns: number;
  /**
   * Rows `first` … `first + count - 1`, row by row. The array may be reused by the next call.
   * @param out an array of the precision and of count·columns numbers that may be filled and returned, so that a loop
   * over blocks need not get a new one each time.
   */
  read(first: number, count: number, out?: TensorValues): Promise<TensorValues>;
}

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** The state of a body, a layer or an optimiser for a checkpoint: JSON and named tensors. */
export interface ModuleState {
  /** Sizes, options, counters: everything that must agree or be restored and is not a tensor. */
  readonly configuration: JsonObject;
  readonly tensors: readonly TensorSource[];
}

/** A state that does not fit the module that is to restore it; names both values. The module is unchanged. */
export class StateError extends CodedError<'state-mismatch'> {
  override readonly name = 'StateError';
}

/** True for a StateError of any copy of this package. */
export function isStateError(value: unknown): value is StateError {
  return isCodedError(value, 'StateError');
}

/**
 * @param owner what the message begins with: `factored layer`.
 * @throws StateError `state-mismatch`, naming both values, unless they are the same.
 */
export function checkSame(owner: string, key: string, own: unknown, given: unknown): void {
  const expected = JSON.stringify(own) ?? 'missing';
  const found = JSON.stringify(given) ?? 'missing';
  if (expected !== found)
    throw new StateError(
      'state-mismatch',
      `${owner}: '${key}' is ${found.slice(0, 200)} in the state, ${expected.slice(0, 200)} in the layer`,
    );
}

/** @returns the value. @throws StateError `state-mismatch` unless it is a whole number. */
export function checkWholeNumber(owner: string, key: string, given: unknown): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given;
  throw new StateError(
    'state-mismatch',
    `${owner}: '${key}' in the state is ${String(given)}, expected a whole number`,
  );
}

/** A matrix as a tensor of a checkpoint; read when it is written. */
export function matrixTensor(name: string, matrix: Matrix): TensorSource {
  const { rows, columns } = matrix;
  return {
    name,
    precision: matrix.backend.precision,
    rows,
    columns,
    read: async (first, count) => (await read(matrix)).subarray(first * columns, (first + count) * columns),
  };
}

/** A table as a tensor of a checkpoint; read by blocks of rows when it is written. */
export function tableTensor(name: string, table: RowTable): TensorSource {
  return {
    name,
    precision: table.backend.precision,
    rows: table.rows,
    columns: table.columns,
    read: (first, count) => readRows(table, first, count),
  };
}

/** By name: a state may have thousands, each of which is looked up. */
const tensorsByName = new WeakMap<readonly TensorSource[], ReadonlyMap<string, TensorSource>>();

function tensorOf({ tensors }: ModuleState, name: string): TensorSource | undefined {
  let byName = tensorsByName.get(tensors);
  if (byName === undefined) {
    byName = new Map(tensors.toReversed().map((tensor) => [tensor.name, tensor]));
    tensorsByName.set(tensors, byName);
  }
  return byName.get(name);
}

function namesOf(tensors: readonly TensorSource[]): string {
  const names = tensors.slice(0, 20).map(({ name }) => name);
  return tensors.length > 20 ? `${names.join(', ')} and ${tensors.length - 20} more` : names.join(', ') || 'none';
}

/** The tensor of that name and shape. @throws StateError `state-mismatch`, naming both shapes. */
export function findTensor(state: ModuleState, name: string, rows: number, columns: number): TensorSource {
  const tensor = tensorOf(state, name);
  if (tensor === undefined) {
    throw new StateError('state-mismatch', `the checkpoint has no tensor '${name}'; it has ${namesOf(state.tensors)}`);
  }
  if (tensor.rows !== rows || tensor.columns !== columns) {
    throw new StateError(
      'state-mismatch',
      `tensor '${name}' is ${tensor.rows}×${tensor.columns} in the checkpoint, the model's is ${rows}×${columns}`,
    );
  }
  return tensor;
}

/**
 * Overwrites a matrix with the tensor of that name. @throws StateError `state-mismatch` when it is missing or has
 * another shape.
 */
export async function restoreMatrix(state: ModuleState, name: string, matrix: Matrix): Promise<void> {
  const tensor = findTensor(state, name, matrix.rows, matrix.columns);
  write(await tensor.read(0, matrix.rows), matrix);
}

/** Numbers of a table that are in memory beside it, twice, while it is restored. */
const numbersPerBlock = 2 ** 18;

/**
 * Overwrites a table with the tensor of that name, by blocks of rows: while one is copied the next is read. O(D·columns).
 * @throws StateError `state-mismatch` when it is missing or has another shape.
 */
export async function restoreTable(state: ModuleState, name: string, table: RowTable): Promise<void> {
  const { rows, columns } = table;
  const tensor = findTensor(state, name, rows, columns);
  const rowsPerBlock = Math.max(1, Math.floor(numbersPerBlock / Math.max(1, columns)));
  const Values = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array }[tensor.precision];
  const blocks = [0, 1].map(() => new Values(Math.min(rows, rowsPerBlock) * columns));
  const read = (first: number): Promise<TensorValues> => {
    const count = Math.min(rowsPerBlock, rows - first);
    return tensor.read(first, count, blocks[(first / rowsPerBlock) % 2]!.subarray(0, count * columns));
  };
  for (let first = 0, reading = rows === 0 ? undefined : read(0); reading !== undefined; first += rowsPerBlock) {
    const values = await reading;
    const hasNext = first + rowsPerBlock < rows;
    // An array of the source's own may be overwritten by the next call.
    const isOurs = blocks.some(({ buffer }) => buffer === values.buffer);
    reading = hasNext && isOurs ? read(first + rowsPerBlock) : undefined;
    writeRows(values.subarray(0, Math.min(rowsPerBlock, rows - first) * columns), first, table);
    if (hasNext) reading ??= read(first + rowsPerBlock);
  }
}
