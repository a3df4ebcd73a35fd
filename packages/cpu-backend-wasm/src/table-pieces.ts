/**
 * A table's rows, outside the WebAssembly heap: typed arrays of at most 16 MiB, a whole power of two of rows in each. A table may so be
 * larger than the 4 GiB that the kernels can address, and growing it copies one piece at most.
 */
import { LinalgError } from '@vastmax/linalg-core';

const bytesPerPiece = 16 * 1024 * 1024;
/** 1 TiB, refused at once: an engine would hand out zeroed pages that it does not have for minutes before the first failure. */
const mostBytes = 2 ** 40;
/** Row numbers are 32-bit. */
const mostRows = 2 ** 31 - 1;

export class TablePieces {
  readonly pieces: Float32Array[] = [];
  /** Row r is in piece r >> shift, at (r & mask)·columns. */
  readonly shift: number;
  readonly mask: number;
  readonly columns: number;

  constructor(columns: number) {
    this.shift = Math.max(0, Math.floor(Math.log2(bytesPerPiece / Math.max(1, columns * 4))));
    this.mask = 2 ** this.shift - 1;
    this.columns = columns;
  }

  /** Room for `rows` rows in all. @throws LinalgError `out-of-memory`, with what was there before untouched. */
  grow(rows: number): void {
    const bytes = rows * this.columns * 4;
    if (rows > mostRows || bytes > mostBytes) throw outOfMemory(rows, this.columns);
    const perPiece = this.mask + 1;
    const first = Math.max(0, this.pieces.length - 1);
    const added: Float32Array[] = [];
    for (let index = first; index * perPiece < rows; index++) {
      const length = Math.min(perPiece, rows - index * perPiece) * this.columns;
      const old = this.pieces[index];
      if (old !== undefined && old.length >= length) {
        added.push(old);
        continue;
      }
      let piece: Float32Array;
      try {
        piece = new Float32Array(length);
      } catch (cause) {
        throw outOfMemory(rows, this.columns, { cause });
      }
      if (old !== undefined) piece.set(old);
      added.push(piece);
    }
    this.pieces.splice(first, this.pieces.length - first, ...added);
  }
}

function outOfMemory(rows: number, columns: number, options?: ErrorOptions): LinalgError {
  const message = `a table of ${rows}×${columns} needs ${rows * columns * 4} bytes, which could not be had; use fewer rows or columns`;
  return new LinalgError('out-of-memory', message, options);
}
