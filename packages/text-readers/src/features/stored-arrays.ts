// Arrays of numbers in files: .npy, .npz and safetensors. A file is a list of arrays, of which one can be rows of
// features. An array of a type or rank that cannot be read is refused when it is asked for, and not with its file.

import { shown } from '@vastmax/checkpoints';
import {
  bytesOfNumber,
  SparseDataError,
  type DenseRowSource,
  type NumberType,
  type ReadBytes,
  type StoredRows,
} from '@vastmax/sparse-data';

/** Bytes that can be read at any place: an open file (`openPlacedFile` of `@vastmax/sparse-data/node`), or memory. */
export interface PlacedBytes {
  /** Name in error messages. */
  readonly path: string;
  readonly bytes: number;
  readonly read: ReadBytes;
}

/** Bytes in memory, such as a file that a page has fetched. */
export function placedBytes(path: string, bytes: Uint8Array): PlacedBytes {
  return {
    path,
    bytes: bytes.length,
    read: (into, position) => {
      if (position + into.length > bytes.length)
        throw badFeatures(
          path,
          `${into.length} bytes from byte ${position} on are asked for; there are ${bytes.length} in all`,
        );
      into.set(bytes.subarray(position, position + into.length));
    },
  };
}

/** One array of a file. */
export interface StoredArray {
  /** In the file; empty in .npy, which has one. */
  readonly name: string;
  /** What is known of it, for people: `f32 of 10x3`. */
  readonly description: string;
  /**
   * Its rows, by the first dimension; those of further ones stand one after the other in a row.
   * @throws SparseDataError `bad-features` for a type or shape that rows cannot be read of.
   */
  readonly rows: () => DenseRowSource;
}

export function badFeatures(path: string, problem: string, cause?: unknown): SparseDataError {
  return new SparseDataError('bad-features', `${path}: ${problem}`, { cause });
}

/** An array of names, objects or dates is refused: it cannot be meant where there are arrays of numbers. */
export class NoNumbersError extends SparseDataError {
  constructor(path: string, problem: string) {
    super('bad-features', `${path}: ${problem}`);
  }
}

/** Rows of a shape at a place, compared with the bytes that there are. */
export interface PlacedArray {
  /** Before the shape, in messages: `array "x" `, or nothing. */
  readonly label: string;
  readonly type: NumberType;
  readonly bigEndian?: boolean;
  readonly shape: readonly number[];
  readonly start: number;
  /** Bytes of the file that the array has from `start` on. */
  readonly bytes: number;
}

/** @throws SparseDataError `bad-features` with both values. */
export function storedRowsOf(path: string, array: PlacedArray): StoredRows {
  const { label, type, bigEndian = false, shape, start, bytes } = array;
  const [rows, ...rest] = shape;
  const columns = rest.reduce((product, size) => product * size, 1);
  const size = shape.join('x');
  if (rows === undefined)
    throw badFeatures(path, `${label}is one number without a dimension; rows of numbers are needed`);
  if (columns === 0) throw badFeatures(path, `${label}has the shape ${size}; rows of at least 1 number are needed`);
  if (rows >= 2 ** 31 || columns >= 2 ** 31)
    throw badFeatures(path, `${label}has the shape ${size}; fewer than 2^31 rows and columns are needed`);
  const needed = rows * columns * bytesOfNumber[type];
  if (needed !== bytes)
    throw badFeatures(
      path,
      `${label}of ${size} ${type} needs ${needed} bytes from byte ${start} on; there are ${bytes}`,
    );
  return { rows, columns, start, type, bigEndian };
}

/**
 * The array of a name, or the only one of numbers. One whose numbers cannot be read counts: another one is not read in
 * its place.
 * @throws SparseDataError `bad-features` where there is none or there are several, with their names.
 */
export function chooseArray(path: string, arrays: readonly StoredArray[], name?: string): StoredArray {
  if (name !== undefined) {
    const found = arrays.find((each) => each.name === name);
    if (found === undefined) throw badFeatures(path, `there is no array ${shown(name)}; it has ${listOf(arrays)}`);
    return found;
  }
  const ofNumbers = arrays.length === 1 ? arrays : arrays.filter(hasNumbers);
  const [only, ...others] = ofNumbers;
  if (only === undefined) throw badFeatures(path, `there is no array of numbers; it has ${listOf(arrays)}`);
  if (others.length > 0)
    throw badFeatures(path, `there are ${ofNumbers.length} arrays of numbers; name one of them: ${listOf(ofNumbers)}`);
  return only;
}

function listOf(arrays: readonly StoredArray[]): string {
  if (arrays.length === 0) return 'none';
  const listed = arrays.slice(0, 20).map((each) => `${shown(each.name)} (${each.description})`);
  return `${listed.join(', ')}${arrays.length > 20 ? ` and ${arrays.length - 20} more` : ''}`;
}

function hasNumbers({ rows }: StoredArray): boolean {
  try {
    rows();
    return true;
  } catch (error) {
    return !(error instanceof NoNumbersError);
  }
}
