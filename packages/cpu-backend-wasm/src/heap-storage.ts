/** The storage of this backend's handles, and how other packages access its numbers. */
import { LinalgError, type Indices, type Matrix } from '@vastmax/linalg-core';
import type { HeapBlock, WasmHeap } from './heap.ts';

/**
 * The heap of the storage; replaced by an empty one when the backend is disposed, so that no handle keeps the memory
 * alive.
 */
export interface HeapHolder {
  heap: WasmHeap;
}

/** Where row kernels find rows on the heap. */
export interface RowPlace {
  /** In bytes: of the first row, or of the directory of a table. */
  readonly offset: number;
  /** A piece of a table has 2^shift rows; −1 for the rows of a matrix, which are one after the other. */
  readonly shift: number;
}

/** The storage of a Matrix or an Indices; without a block until it is allocated, and for rows of a table. */
export class HeapStorage implements RowPlace {
  readonly holder: HeapHolder;
  block: HeapBlock | undefined;
  offset = 0;
  readonly shift = -1;
  view: Float32Array | undefined;

  constructor(holder: HeapHolder) {
    this.holder = holder;
  }
}

/** The offset of a handle's numbers, in bytes. */
export function at(handle: Matrix | Indices): number {
  return (handle.storage as HeapStorage).offset;
}

/**
 * The numbers of a matrix on the heap of a wasm backend, rows·columns long, row by row: not a copy. For backends that
 * pass the same memory to other kernels. Valid until the next creation of a handle on that backend, or the next `solve`
 * or `symmetricRank2Update` larger than those before, each of which may move the heap. Call it again after those; the
 * call costs a comparison and no allocation while the heap has not moved. All work called so far is complete. A handle
 * of another backend may have the storage of a wasm matrix, as in a backend built on this one.
 * @throws LinalgError `backend-mismatch` for a matrix of another backend, `disposed` after the disposal of the matrix
 * or its backend
 */
export function matrixView(matrix: Matrix): Float32Array {
  const { storage, backend } = matrix;
  if (!(storage instanceof HeapStorage)) {
    throw new LinalgError(
      'backend-mismatch',
      `matrixView: the matrix belongs to the backend '${backend.name}'; only those of a wasm backend are on its heap`,
    );
  }
  if (matrix.disposed)
    throw new LinalgError('disposed', `matrixView: the matrix was disposed (it was ${matrix.rows}×${matrix.columns})`);
  const { floats } = storage.holder.heap;
  const length = matrix.rows * matrix.columns;
  const known = storage.view;
  if (known !== undefined && known.length === length && known.buffer === floats.buffer) return known;
  if (storage.offset > 0 && floats.length === 0)
    throw new LinalgError('disposed', `matrixView: the backend '${backend.name}' was disposed`);
  const view = new Float32Array(floats.buffer, storage.offset, length);
  storage.view = view;
  return view;
}
