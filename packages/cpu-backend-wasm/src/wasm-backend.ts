/**
 * The kernels of backend.ts over the compiled ones: this file turns handles into offsets and nothing else. Matrices and index lists live
 * on the WebAssembly heap, tables in host memory. Everything is done when a call returns, so nothing here has to wait.
 */
import {
  backendBrand,
  gatherTableRows,
  Indices,
  isMatrix,
  isRowTable,
  LinalgError,
  Matrix,
  readTableRows,
  RowTable,
  scatterAddTableRows,
  scatterTableRows,
  TablePieces,
  writeTableRows,
  type Backend,
  type BinaryOperation,
  type FloatArray,
  type GemmSettings,
  type MemoryReport,
  type RankUpdateSettings,
  type ReduceOperation,
  type UnaryOperation,
} from '@vastmax/linalg-core';
import { WasmHeap, type HeapBlock } from './heap.ts';
import {
  binaryNumbers,
  gemmScratchBytes,
  instantiateKernels,
  reduceNumbers,
  requireWebAssembly,
  solveScratchBytes,
  unaryNumbers,
  type Kernels,
} from './kernels.ts';

export interface WasmBackendOptions {
  /** 'f32' is all there is. Solving and sums are f64 inside. */
  readonly precision?: 'f32';
}

const initialPages = 16;

/**
 * A backend on WebAssembly SIMD, one thread. The first call compiles the kernels, which takes some milliseconds.
 * @throws LinalgError `bad-option` for another precision, `device-lost` where the engine has no WebAssembly or no SIMD
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const { precision = 'f32' } = options;
  if (precision !== 'f32') {
    throw new LinalgError('bad-option', `createWasmBackend: precision must be 'f32', got '${String(precision)}'; createPlainBackend has f64`);
  }
  const webAssembly = requireWebAssembly();
  const memory = new webAssembly.Memory({ initial: initialPages });
  return new WasmBackend(await instantiateKernels(memory), new WasmHeap(memory));
}

/** What a Matrix or an Indices carries; empty until its block is there. */
interface HeapStorage {
  block: HeapBlock | undefined;
  offset: number;
}

function at(handle: Matrix | Indices): number {
  return (handle.storage as HeapStorage).offset;
}

function piecesOf(table: RowTable): TablePieces {
  return table.storage as TablePieces;
}

class WasmBackend implements Backend {
  readonly [backendBrand] = true as const;
  readonly specification = 1;
  readonly name = 'wasm f32';
  readonly precision = 'f32';
  readonly #live = { matrices: 0, tables: 0, indices: 0, bytes: 0 };
  #kernels: Kernels;
  #heap: WasmHeap;
  readonly #panels: HeapBlock;
  readonly #splat: HeapBlock;
  #solveScratch: HeapBlock;
  #product: HeapBlock;
  #disposed = false;

  constructor(kernels: Kernels, heap: WasmHeap) {
    this.#kernels = kernels;
    this.#heap = heap;
    this.#panels = heap.allocate(gemmScratchBytes, 'createWasmBackend');
    this.#splat = heap.allocate(16, 'createWasmBackend');
    this.#solveScratch = heap.allocate(0, 'createWasmBackend');
    this.#product = heap.allocate(0, 'createWasmBackend');
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  createMatrix(rows: number, columns: number): Matrix {
    this.#checkLive('createMatrix');
    const storage: HeapStorage = { block: undefined, offset: 0 };
    const matrix = new Matrix(this, rows, columns, storage);
    this.#place(storage, 4 * matrix.capacity, `createMatrix: ${rows}×${columns}`);
    this.#heap.floats.fill(0, storage.offset >>> 2, (storage.offset >>> 2) + matrix.capacity);
    this.#live.matrices++;
    this.#live.bytes += bytesOf(matrix);
    return matrix;
  }

  createTable(rows: number, columns: number): RowTable {
    this.#checkLive('createTable');
    const pieces = new TablePieces(columns, 'f32');
    const table = new RowTable(this, rows, columns, pieces);
    pieces.grow(rows);
    this.#live.tables++;
    this.#live.bytes += bytesOf(table);
    return table;
  }

  createIndices(capacity: number): Indices {
    this.#checkLive('createIndices');
    const storage: HeapStorage = { block: undefined, offset: 0 };
    const indices = new Indices(this, capacity, storage);
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
    const { block } = handle.storage as HeapStorage;
    if (block !== undefined && !this.#disposed) this.#heap.free(block);
  }

  write(values: ArrayLike<number>, out: Matrix): void {
    this.#heap.floats.set(values, at(out) >>> 2);
  }

  indicesWritten(indices: Indices): void {
    const { integers } = this.#heap;
    const { values, count } = indices;
    for (let i = 0, to = at(indices) >>> 2; i < count; i++, to++) integers[to] = values[i]!;
  }

  writeRows(values: ArrayLike<number>, firstRow: number, count: number, table: RowTable): void {
    writeTableRows(values, firstRow, count, piecesOf(table));
  }

  read(source: Matrix, out: FloatArray): Promise<void> {
    const first = at(source) >>> 2;
    out.set(this.#heap.floats.subarray(first, first + source.rows * source.columns));
    return Promise.resolve();
  }

  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void> {
    readTableRows(piecesOf(table), firstRow, count, out);
    return Promise.resolve();
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  memory(): MemoryReport {
    return { ...this.#live };
  }

  /** An engine cannot be told to drop a WebAssembly memory; it goes with the last reference, so both that lead to it are given up. */
  dispose(): Promise<void> {
    this.#disposed = true;
    // The operations refuse a disposed backend: no kernel is called any more.
    this.#kernels = {} as Kernels;
    this.#heap = new WasmHeap({ buffer: new ArrayBuffer(0), grow: () => 0 }, 0);
    return Promise.resolve();
  }

  fill(value: number, out: Matrix): void {
    this.#kernels.fill(value, at(out), out.rows * out.columns);
  }

  copy(source: Matrix, out: Matrix): void {
    const length = out.rows * out.columns;
    this.#kernels.copyColumns(at(source), length, at(out), length, 1, length);
  }

  copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void {
    this.#kernels.copyColumns(at(source) + 4 * sourceColumn, source.columns, at(out) + 4 * outColumn, out.columns, out.rows, count);
  }

  addDiagonal(value: number, out: Matrix): void {
    this.#kernels.addDiagonal(value, at(out), out.rows);
  }

  gemm(a: Matrix, b: Matrix, out: Matrix, { transposeA, transposeB, alpha, beta }: GemmSettings): void {
    const depth = transposeA ? a.rows : a.columns;
    this.#multiply(out.rows, out.columns, depth, a, b, at(out), transposeA, transposeB, alpha, beta);
  }

  rowDot(a: Matrix, b: Matrix, out: Matrix): void {
    this.#kernels.rowDot(at(a), at(b), at(out), a.rows, a.columns);
  }

  scaleRows(source: Matrix, factors: Matrix, out: Matrix): void {
    this.#kernels.binary(binaryNumbers.multiply, at(source), at(factors), at(out), source.rows, source.columns, 1, 0, this.#splat.offset);
  }

  axpy(alpha: number, x: Matrix, out: Matrix): void {
    this.#kernels.axpy(alpha, at(x), at(out), out.rows * out.columns);
  }

  affine(x: Matrix, scale: number, shift: number, out: Matrix): void {
    this.#kernels.affine(at(x), scale, shift, at(out), out.rows * out.columns);
  }

  unary(operation: UnaryOperation, x: Matrix, out: Matrix): void {
    this.#kernels.unary(unaryNumbers[operation], at(x), at(out), out.rows * out.columns);
  }

  binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void {
    const { rows, columns } = a;
    const number = binaryNumbers[operation];
    const same = b.rows === rows && b.columns === columns;
    if (same || (b.rows === 1 && b.columns === 1)) {
      // No row of its own starts anywhere: one run over all numbers.
      this.#kernels.binary(number, at(a), at(b), at(out), 1, rows * columns, 0, same ? 1 : 0, this.#splat.offset);
      return;
    }
    const rowStride = b.rows === 1 ? 0 : b.columns;
    this.#kernels.binary(number, at(a), at(b), at(out), rows, columns, rowStride, b.columns === 1 ? 0 : 1, this.#splat.offset);
  }

  reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void {
    const { rows, columns } = x;
    const number = reduceNumbers[operation];
    if (out.rows === rows && out.columns === columns) this.#kernels.reduceRows(number, at(x), rows * columns, 1, at(out));
    else if (out.rows === 1 && out.columns === 1) this.#kernels.reduceRows(number, at(x), 1, rows * columns, at(out));
    else if (out.columns === 1) this.#kernels.reduceRows(number, at(x), rows, columns, at(out));
    else this.#kernels.reduceColumns(number, at(x), rows, columns, at(out));
  }

  gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
    if (isMatrix(source)) this.#kernels.gatherRows(at(source), at(indices), indices.count, out.columns, at(out));
    else gatherTableRows(piecesOf(source), indices.values, indices.count, this.#heap.floats, at(out) >>> 2);
  }

  scatterAddRows(source: Matrix, indices: Indices, scale: number, destination: Matrix | RowTable): void {
    const { count } = indices;
    if (isMatrix(destination)) {
      this.#kernels.scatterAddRows(at(source), at(indices), count, source.columns, scale, at(destination));
    } else {
      scatterAddTableRows(this.#heap.floats, at(source) >>> 2, indices.values, count, scale, piecesOf(destination));
    }
  }

  scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
    const { count } = indices;
    if (isMatrix(destination)) this.#kernels.scatterRows(at(source), at(indices), count, source.columns, at(destination));
    else scatterTableRows(this.#heap.floats, at(source) >>> 2, indices.values, count, piecesOf(destination));
  }

  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
    this.#solveScratch = this.#grown(this.#solveScratch, solveScratchBytes(a.rows), `solve: the scratch for ${a.rows}×${a.rows}`);
    const estimate = this.#kernels.solve(a.rows, b.columns, at(a), at(b), at(out), this.#solveScratch.offset);
    this.#heap.floats[at(reciprocalCondition) >>> 2] = estimate;
  }

  /** One product and its mirror image: half the work of two gemms, and symmetric to the last bit. */
  symmetricRank2Update(a: Matrix, b: Matrix, out: Matrix, { transpose, alpha, beta }: RankUpdateSettings): void {
    const n = out.rows;
    this.#product = this.#grown(this.#product, 4 * n * n, `symmetricRank2Update: the scratch for ${n}×${n}`);
    const { offset } = this.#product;
    this.#multiply(n, n, transpose ? a.columns : a.rows, a, b, offset, !transpose, transpose, 1, 0);
    this.#kernels.mirrorAdd(offset, at(out), n, alpha, beta);
  }

  #multiply(
    m: number,
    n: number,
    k: number,
    a: Matrix,
    b: Matrix,
    out: number,
    transposeA: boolean,
    transposeB: boolean,
    alpha: number,
    beta: number,
  ): void {
    this.#kernels.gemm(m, n, k, at(a), at(b), out, transposeA ? 1 : 0, transposeB ? 1 : 0, alpha, beta, this.#panels.offset);
  }

  #place(storage: HeapStorage, bytes: number, what: string): void {
    storage.block = this.#heap.allocate(bytes, what);
    storage.offset = storage.block.offset;
  }

  /** Scratch of at least `bytes`; its content is lost when it moves. */
  #grown(block: HeapBlock, bytes: number, what: string): HeapBlock {
    if (block.bytes >= bytes) return block;
    const larger = this.#heap.allocate(bytes, what);
    this.#heap.free(block);
    return larger;
  }

  #checkLive(operation: string): void {
    if (this.#disposed) throw new LinalgError('disposed', `${operation}: the backend '${this.name}' was disposed`);
  }
}

function bytesOf(handle: Matrix | RowTable | Indices): number {
  return isRowTable(handle) ? 4 * handle.rows * handle.columns : 4 * handle.capacity;
}
