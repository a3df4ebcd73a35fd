/**
 * The handles of one backend: matrices and index lists on the WebAssembly heap, tables there too while they take at most
 * half of what it can become, else in host memory; and the count of live handles. The kernels of wasm-backend.ts only
 * look up places here.
 */
import {
  arrayRows,
  Indices,
  isMatrix,
  isRowTable,
  Matrix,
  RowTable,
  TablePieces,
  type Backend,
  type MemoryReport,
  type TableRows,
} from '@vastmax/linalg-core';
import { HeapStorage, matrixView, type HeapHolder, type RowPlace } from './heap-storage.ts';
import { HeapTable } from './heap-table.ts';
import { WasmHeap, type HeapBlock } from './heap.ts';

/** The storage of a RowTable. */
interface TableStorage {
  rows: HeapTable | TablePieces;
}

export class HandleStore {
  readonly #maxTableBytes: number;
  /** Of the tables on the heap. */
  #tableBytes = 0;
  readonly #live = { matrices: 0, tables: 0, indices: 0, bytes: 0 };
  readonly #holder: HeapHolder;
  #disposed = false;

  /** @param maxTableBytes how much of the heap tables may take; half of its maximum unless given */
  constructor(heap: WasmHeap, maxTableBytes: number = heap.maxBytes / 2) {
    this.#holder = { heap };
    this.#maxTableBytes = maxTableBytes;
  }

  get heap(): WasmHeap {
    return this.#holder.heap;
  }

  createMatrix(backend: Backend, rows: number, columns: number): Matrix {
    const storage = new HeapStorage(this.#holder);
    const matrix = new Matrix(backend, rows, columns, storage);
    storage.block = this.heap.allocateZeros(4 * matrix.capacity, `createMatrix: ${rows}×${columns}`);
    storage.offset = storage.block.offset;
    this.#live.matrices++;
    this.#live.bytes += bytesOf(matrix);
    return matrix;
  }

  createTable(backend: Backend, rows: number, columns: number): RowTable {
    const storage: TableStorage = { rows: new HeapTable(columns, this.#holder) };
    const table = new RowTable(backend, rows, columns, storage);
    this.#growRows(storage, rows, 0);
    this.#live.tables++;
    this.#live.bytes += bytesOf(table);
    return table;
  }

  createIndices(backend: Backend, capacity: number): Indices {
    const storage = new HeapStorage(this.#holder);
    const indices = new Indices(backend, capacity, storage);
    storage.block = this.heap.allocate(4 * capacity, `createIndices: a list of ${capacity}`);
    storage.offset = storage.block.offset;
    this.#live.indices++;
    this.#live.bytes += bytesOf(indices);
    return indices;
  }

  /** Undefined for rows in host memory and for those of several pieces. */
  viewRows(backend: Backend, table: RowTable, firstRow: number, count: number): Matrix | undefined {
    const rows = rowsOf(table);
    const last = firstRow + count - 1;
    if (count === 0 || !(rows instanceof HeapTable) || firstRow >> rows.shift !== last >> rows.shift) return undefined;
    const storage = new HeapStorage(this.#holder);
    storage.offset = rows.offsetOf(firstRow);
    this.#live.matrices++;
    return new Matrix(backend, count, table.columns, storage, table);
  }

  growTable(table: RowTable, rows: number): void {
    this.#growRows(table.storage as TableStorage, rows, table.rows);
    this.#live.bytes += (rows - table.rows) * table.columns * 4;
  }

  release(handle: Matrix | RowTable | Indices): void {
    this.#live.bytes -= bytesOf(handle);
    if (isRowTable(handle)) {
      this.#live.tables--;
      const storage = handle.storage as TableStorage;
      if (storage.rows instanceof HeapTable) this.#freeTable(storage.rows, bytesOf(handle));
      storage.rows = new TablePieces(0, 'f32');
      return;
    }
    if (isMatrix(handle)) this.#live.matrices--;
    else this.#live.indices--;
    const storage = handle.storage as HeapStorage;
    storage.view = undefined;
    if (storage.block !== undefined && !this.#disposed) this.heap.free(storage.block);
  }

  memory(): MemoryReport {
    return { ...this.#live };
  }

  /** Scratch of at least `bytes` in place of `block`; its content is lost when it moves. */
  grown(block: HeapBlock | undefined, bytes: number, what: string): HeapBlock {
    if (block !== undefined && block.bytes >= bytes) return block;
    const larger = this.heap.allocate(bytes, what);
    if (block !== undefined) this.heap.free(block);
    return larger;
  }

  /**
   * A WebAssembly memory cannot be freed explicitly; it is freed with its last reference, so handles must not hold one.
   */
  dispose(): void {
    this.#disposed = true;
    this.#holder.heap = new WasmHeap({ buffer: new ArrayBuffer(0), grow: () => 0 }, 0);
  }

  /** A table that no longer fits the heap moves to host memory: once, with all its rows. */
  #growRows(storage: TableStorage, rows: number, oldRows: number): void {
    const { rows: place } = storage;
    if (place instanceof TablePieces) {
      place.grow(rows);
      return;
    }
    const added = 4 * (rows - oldRows) * place.columns;
    if (place.columns > 0 && this.#tableBytes + added <= this.#maxTableBytes && place.tryGrow(rows)) {
      this.#tableBytes += added;
      return;
    }
    const pieces = new TablePieces(place.columns, 'f32');
    pieces.grow(rows);
    for (const [index, piece] of place.pieces.entries()) pieces.pieces[index]?.set(piece);
    this.#freeTable(place, 4 * oldRows * place.columns);
    storage.rows = pieces;
  }

  #freeTable(table: HeapTable, bytes: number): void {
    this.#tableBytes -= bytes;
    if (!this.#disposed) table.free();
  }
}

/** Where a table has its rows. */
export function rowsOf(table: RowTable): HeapTable | TablePieces {
  return (table.storage as TableStorage).rows;
}

/** The same, or a matrix, as arrays; valid until the next allocation on the heap. */
export function hostRowsOf(handle: Matrix | RowTable): TableRows {
  return isMatrix(handle) ? arrayRows(matrixView(handle), handle.columns) : rowsOf(handle);
}

/** Where row kernels find the rows; undefined for a table in host memory. */
export function placeOf(handle: Matrix | RowTable): RowPlace | undefined {
  if (isMatrix(handle)) return handle.storage as HeapStorage;
  const rows = rowsOf(handle);
  return rows instanceof HeapTable ? rows : undefined;
}

function bytesOf(handle: Matrix | RowTable | Indices): number {
  if (isRowTable(handle)) return 4 * handle.rows * handle.columns;
  return isMatrix(handle) && handle.viewed !== undefined ? 0 : 4 * handle.capacity;
}
