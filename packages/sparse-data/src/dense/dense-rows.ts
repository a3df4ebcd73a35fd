// Rows of numbers, such as the vectors that an encoder gives for each example: in memory, or read when they are needed.

import { checkInteger, show, SparseDataError } from '../errors.ts';
import { bytesOfNumber, decodeNumbers, fitsFloat32, widenHalves, type StoredNumbers } from './stored-numbers.ts';

/** What rows are read into. */
export type DenseValues = Float32Array | Float64Array;

/** Rows in memory: row r holds `values` r·columns to (r + 1)·columns (exclusive). */
export interface DenseRows {
  readonly rows: number;
  readonly columns: number;
  /** Of at least rows·columns numbers; those of a Uint16Array are the bits of half precision (IEEE 754 binary16). */
  readonly values: DenseValues | Uint16Array;
}

/** Rows that may be anywhere: they are read when they are needed. */
export interface DenseRowSource {
  readonly rows: number;
  readonly columns: number;
  /** Of the array that holds every number exactly. */
  readonly precision: 'f32' | 'f64';
  /** Writes the numbers of some rows, one row after the other, to the beginning of `out`. */
  readonly copyRows: (rows: Int32Array, out: DenseValues) => void;
}

/**
 * Wraps an array of numbers (no copy), row by row.
 * @param values a Uint16Array holds the bits of half precision.
 * @throws SparseDataError `shape` when the numbers are not rows·columns.
 */
export function createDenseRows(rows: number, columns: number, values: DenseRows['values']): DenseRows {
  checkInteger('createDenseRows', 'rows', rows, 0, 2 ** 31 - 1);
  checkInteger('createDenseRows', 'columns', columns, 1, 2 ** 31 - 1);
  if (!(values instanceof Float32Array || values instanceof Float64Array || values instanceof Uint16Array))
    throw new SparseDataError(
      'shape',
      `createDenseRows: values is ${show(values)}; a Float32Array, a Float64Array or a Uint16Array of half precision is needed`,
    );
  if (values.length !== rows * columns)
    throw new SparseDataError(
      'shape',
      `createDenseRows: there are ${values.length} numbers for ${rows} rows of ${columns}; ${rows * columns} are needed`,
    );
  return { rows, columns, values };
}

/** Rows in memory as a source. */
export function sourceOfRows({ rows, columns, values }: DenseRows): DenseRowSource {
  return {
    rows,
    columns,
    precision: values instanceof Float64Array ? 'f64' : 'f32',
    copyRows: (wanted, out) => {
      for (let place = 0; place < wanted.length; place++) {
        const first = wanted[place]! * columns;
        const at = place * columns;
        if (values instanceof Uint16Array) widenHalves(values.subarray(first, first + columns), out, at);
        else for (let i = 0; i < columns; i++) out[at + i] = values[first + i]!;
      }
    },
  };
}

/** Rows that are stored one after the other. */
export interface StoredRows extends StoredNumbers {
  readonly rows: number;
  readonly columns: number;
  /** Where the first number begins, in bytes. */
  readonly start: number;
}

/** Reads bytes from a position on until `into` is full. */
export type ReadBytes = (into: Uint8Array, position: number) => void;

/** Bytes that are read at once at most, but for a row that has more. */
const bytesPerRead = 2 ** 20;

/** Stored rows as a source; rows that follow each other are read together. One buffer of at most a megabyte or a row. */
export function sourceOfStored(stored: StoredRows, read: ReadBytes): DenseRowSource {
  const { rows, columns, start, type } = stored;
  const rowBytes = columns * bytesOfNumber[type];
  const rowsPerRead = Math.max(1, Math.floor(bytesPerRead / rowBytes));
  let buffer = new Uint8Array(0);
  return {
    rows,
    columns,
    precision: fitsFloat32(type) ? 'f32' : 'f64',
    copyRows: (wanted, out) => {
      for (let place = 0; place < wanted.length;) {
        const first = wanted[place]!;
        let count = 1;
        while (count < rowsPerRead && wanted[place + count] === first + count) count++;
        if (buffer.length < count * rowBytes) buffer = new Uint8Array(count * rowBytes);
        const bytes = buffer.subarray(0, count * rowBytes);
        read(bytes, start + first * rowBytes);
        decodeNumbers(stored, bytes, count * columns, out, place * columns);
        place += count;
      }
    },
  };
}

/** All rows in memory, as the source's precision needs. O(rows·columns). */
export function collectDenseRows(source: DenseRowSource): DenseRows {
  const { rows, columns, precision, copyRows } = source;
  const values = precision === 'f64' ? new Float64Array(rows * columns) : new Float32Array(rows * columns);
  const numbers = new Int32Array(Math.max(1, Math.min(rows, Math.floor(2 ** 16 / columns))));
  for (let first = 0; first < rows; first += numbers.length) {
    const some = numbers.subarray(0, Math.min(numbers.length, rows - first));
    for (let i = 0; i < some.length; i++) some[i] = first + i;
    copyRows(some, values.subarray(first * columns));
  }
  return { rows, columns, values };
}
