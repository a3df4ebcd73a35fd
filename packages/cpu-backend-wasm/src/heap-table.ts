/**
 * A table on the WebAssembly heap, where the row kernels work on it in place. As TablePieces it has its rows in pieces of
 * at most 16 MiB, so that growth copies at most the last one and freed pieces fit other tables; each is a block, and a
 * directory of their offsets is what the kernels read.
 */
import { isLinalgError, TablePieces, type TableRows } from '@vastmax/linalg-core';
import type { HeapHolder } from './heap-storage.ts';
import type { HeapBlock } from './heap.ts';

export class HeapTable implements TableRows {
  readonly columns: number;
  readonly shift: number;
  readonly mask: number;
  readonly #holder: HeapHolder;
  #rows = 0;
  #blocks: HeapBlock[] = [];
  #directory: HeapBlock | undefined;
  /** Views of the blocks. */
  #pieces: Float32Array[] = [];

  constructor(columns: number, holder: HeapHolder) {
    const { shift, mask } = new TablePieces(columns, 'f32');
    this.columns = columns;
    this.shift = shift;
    this.mask = mask;
    this.#holder = holder;
  }

  /** The offset of the directory. */
  get offset(): number {
    return this.#directory?.offset ?? 0;
  }

  /** Where a row is, in bytes. */
  offsetOf(row: number): number {
    return (this.#blocks[row >> this.shift]?.offset ?? 0) + 4 * (row & this.mask) * this.columns;
  }

  /** The rows as arrays; valid until the next allocation on the heap. */
  get pieces(): readonly Float32Array[] {
    const { buffer } = this.#holder.heap.floats;
    if (this.#pieces[0]?.buffer !== buffer) {
      this.#pieces = this.#blocks.map(({ offset }, piece) => new Float32Array(buffer, offset, this.#lengthOf(piece)));
    }
    return this.#pieces;
  }

  /** Adds zero rows until there are `rows`. False, with nothing changed, where the heap has no room for them. */
  tryGrow(rows: number): boolean {
    const { heap } = this.#holder;
    const kept = Math.max(0, this.#blocks.length - 1);
    const blocks = this.#blocks.slice(0, kept);
    const count = Math.ceil(rows / (this.mask + 1));
    let directory: HeapBlock | undefined;
    try {
      for (let piece = kept; piece < count; piece++) {
        blocks.push(heap.allocateZeros(4 * this.#lengthOf(piece, rows), 'createTable'));
      }
      directory = heap.allocate(4 * count, 'createTable');
    } catch (error) {
      if (!isLinalgError(error)) throw error;
      for (const block of blocks.slice(kept).reverse()) heap.free(block);
      return false;
    }
    const old = this.#blocks[kept];
    const last = blocks[kept];
    if (old !== undefined && last !== undefined) {
      const from = old.offset >>> 2;
      heap.floats.copyWithin(last.offset >>> 2, from, from + this.#lengthOf(kept));
      heap.free(old);
    }
    for (const [piece, { offset }] of blocks.entries()) heap.integers[(directory.offset >>> 2) + piece] = offset;
    if (this.#directory !== undefined) heap.free(this.#directory);
    this.#directory = directory;
    this.#blocks = blocks;
    this.#pieces = [];
    this.#rows = rows;
    return true;
  }

  /** Gives the blocks back. */
  free(): void {
    for (const block of this.#blocks) this.#holder.heap.free(block);
    if (this.#directory !== undefined) this.#holder.heap.free(this.#directory);
    this.#blocks = [];
    this.#pieces = [];
    this.#directory = undefined;
  }

  /** Numbers in a piece of a table of `rows` rows. */
  #lengthOf(piece: number, rows: number = this.#rows): number {
    const perPiece = this.mask + 1;
    return Math.min(perPiece, rows - piece * perPiece) * this.columns;
  }
}
