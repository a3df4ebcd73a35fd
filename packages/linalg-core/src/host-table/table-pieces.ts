/**
 * A table's rows in pieces of at most 16 MiB. One typed array would be simpler, but a table of 10⁷ rows passes what an
 * engine allows one array to hold, and growing it would copy everything; here growth copies at most the last piece, and
 * memory is exactly the rows. The plain backend keeps its tables so, and so may any backend whose own memory is too
 * small for them.
 */
import type { FloatArray, Precision } from '../backend.ts';
import { LinalgError } from '../errors.ts';
import { findHostMemory } from './host-memory.ts';

const bytesPerPiece = 16 * 1024 * 1024;
/**
 * Refused before anything is allocated: more than the host has, or 1 TiB where it does not say. An engine hands out
 * zeroed pages it does not have, so that an absurd table would take minutes of small allocations before the first one
 * failed (Linux lets a process map some 65,000 regions, which is 1 TiB of pieces), and one that is only too large would
 * be killed while it is filled.
 */
const maxBytes = 2 ** 40;
/** Row numbers are 32-bit. */
const maxRows = 2 ** 31 - 1;

export class TablePieces {
  readonly pieces: FloatArray[] = [];
  /** Row r is in piece r >> shift, at (r & mask)·columns. */
  readonly shift: number;
  readonly mask: number;
  readonly columns: number;
  readonly #precision: Precision;

  constructor(columns: number, precision: Precision) {
    const rowBytes = Math.max(1, columns * bytesOf(precision));
    this.shift = Math.max(0, Math.floor(Math.log2(bytesPerPiece / rowBytes)));
    this.mask = 2 ** this.shift - 1;
    this.columns = columns;
    this.#precision = precision;
  }

  /** Room for `rows` rows in all. @throws LinalgError `out-of-memory`, with what was there before untouched. */
  grow(rows: number): void {
    if (rows > maxRows) {
      throw new LinalgError('out-of-memory', `a table of ${rows} rows: at most ${maxRows} rows can be addressed`);
    }
    const numbers = rows * this.columns;
    if (numbers * bytesOf(this.#precision) > Math.min(maxBytes, findHostMemory() ?? maxBytes))
      throw outOfMemory(numbers, this.#precision);
    const perPiece = this.mask + 1;
    const first = Math.max(0, this.pieces.length - 1);
    const added: FloatArray[] = [];
    for (let index = first; index * perPiece < rows; index++) {
      const length = Math.min(perPiece, rows - index * perPiece) * this.columns;
      const old = this.pieces[index];
      if (old !== undefined && old.length >= length) {
        added.push(old);
        continue;
      }
      const piece = allocate(length, this.#precision, numbers);
      if (old !== undefined) piece.set(old);
      added.push(piece);
    }
    this.pieces.splice(first, this.pieces.length - first, ...added);
  }
}

/** A zeroed array, or an error that says how much was asked for. */
export function allocate(length: number, precision: Precision, wanted: number = length): FloatArray {
  try {
    return precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw outOfMemory(wanted, precision, { cause });
  }
}

function bytesOf(precision: Precision): number {
  return precision === 'f32' ? 4 : 8;
}

function outOfMemory(numbers: number, precision: Precision, options?: ErrorOptions): LinalgError {
  const mebibytes = ((numbers * bytesOf(precision)) / 2 ** 20).toFixed(1);
  const available = findHostMemory();
  const has = available === undefined ? '' : `; this machine has ${(available / 2 ** 20).toFixed(1)} MiB`;
  return new LinalgError(
    'out-of-memory',
    `could not allocate ${numbers} numbers of ${precision} (${mebibytes} MiB); use fewer rows or columns, or f32${has}`,
    options,
  );
}
