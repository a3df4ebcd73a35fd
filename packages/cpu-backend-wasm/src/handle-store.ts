/**
 * The handles of one backend: matrices and index lists on the WebAssembly heap, tables in host memory, and the count of
 * live handles. The kernels of wasm-backend.ts only look up offsets here.
 */
import {
  Indices,
  isMatrix,
  isRowTable,
  Matrix,
  RowTable,
  TablePieces,
  type Backend,
  type MemoryReport,
} from '@vastmax/linalg-core';
import { HeapStorage, type HeapHolder } from './heap-storage.ts';
import { WasmHeap, type HeapBlock } from './heap.ts';

export class HandleStore {
  readonly #live = { matrices: 0, tables: 0, indices: 0, bytes: 0 };
  readonly #holder: HeapHolder;
  #disposed = false;

  constructor(heap: WasmHeap) {
    this.#holder = { heap };
  }

  get heap(): WasmHeap {
    return this.#holder.heap;
  }

  createMatrix(backend: Backend, rows: number, columns: number): Matrix {
    const storage = new HeapStorage(this.#holder);
    const matrix = new Matrix(backend, rows, columns, storage);
    this.#place(storage, 4 * matrix.capacity, `createMatrix: ${rows}×${columns}`);
    this.heap.floats.fill(0, storage.offset >>> 2, (storage.offset >>> 2) + matrix.capacity);
    this.#live.matrices++;
    this.#live.bytes += bytesOf(matrix);
    return matrix;
  }

  createTable(backend: Backend, rows: number, columns: number): RowTable {
    const pieces = new TablePieces(columns, 'f32');
    const table = new RowTable(backend, rows, columns, pieces);
    pieces.grow(rows);
    this.#live.tables++;
    this.#live.bytes += bytesOf(table);
    return table;
  }

  createIndices(backend: Backend, capacity: number): Indices {
    const storage = new HeapStorage(this.#holder);
    const indices = new Indices(backend, capacity, storage);
    this.#place(storage, 4 * capacity, `createIndices: a list of ${capacity}`);
    this.#live.indices++;
    this.#live.bytes += bytesOf(indices);
    return indices;
  }

  growTable(table: RowTable, rows: number): void {
    piecesOf(table).grow(rows);
    this.#live.bytes += (rows - table.rows) * table.columns * 4;
  }

  release(handle: Matrix | RowTable | Indices): void {
    this.#live.bytes -= bytesOf(handle);
    if (isRowTable(handle)) {
      this.#live.tables--;
      piecesOf(handle).pieces.length = 0;
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
  grown(block: HeapBlock, bytes: number, what: string): HeapBlock {
    if (block.bytes >= bytes) return block;
    const larger = this.heap.allocate(bytes, what);
    this.heap.free(block);
    return larger;
  }

  /**
   * A WebAssembly memory cannot be freed explicitly; it is freed with its last reference, so handles must not hold one.
   */
  dispose(): void {
    this.#disposed = true;
    this.#holder.heap = new WasmHeap({ buffer: new ArrayBuffer(0), grow: () => 0 }, 0);
  }

  #place(storage: HeapStorage, bytes: number, what: string): void {
    storage.block = this.heap.allocate(bytes, what);
    storage.offset = storage.block.offset;
  }
}

export function piecesOf(table: RowTable): TablePieces {
  return table.storage as TablePieces;
}

function bytesOf(handle: Matrix | RowTable | Indices): number {
  return isRowTable(handle) ? 4 * handle.rows * handle.columns : 4 * handle.capacity;
}
