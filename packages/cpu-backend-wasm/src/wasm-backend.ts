/**
 * The kernels of backend.ts as calls of the compiled ones: this file only turns handles into offsets. All work,
 * including that of workers, is complete when a call returns, so nothing here waits.
 */
import {
  backendBrand,
  LinalgError,
  readTableRows,
  writeTableRows,
  type Backend,
  type BinaryOperation,
  type FloatArray,
  type GemmSettings,
  type Indices,
  type Matrix,
  type MemoryReport,
  type MomentUpdate,
  type NormalKeys,
  type QuantizedProductSettings,
  type RankUpdateSettings,
  type ReduceOperation,
  type RowTable,
  type UnaryOperation,
} from '@vastmax/linalg-core';
import { HandleStore, placeOf, rowsOf } from './handle-store.ts';
import { at } from './heap-storage.ts';
import type { HeapBlock, WasmHeap } from './heap.ts';
import {
  binaryNumbers,
  gemmScratchBytes,
  leastSquaresBytes,
  none,
  reduceNumbers,
  solveScratchBytes,
  splatBytes,
  unaryNumbers,
  type Kernels,
} from './kernels.ts';
import { RowKernels } from './row-kernels.ts';
import { RowUpdater } from './update-rows.ts';
import type { WorkerTeam } from './worker-team.ts';

/**
 * @param team the workers that share the kernels' work; undefined for one thread
 * @param maxTableBytes see HandleStore
 */
export function createBackendOver(
  kernels: Kernels,
  heap: WasmHeap,
  team: WorkerTeam | undefined,
  maxTableBytes?: number,
): HostingBackend {
  return new WasmBackend(kernels, heap, team, maxTableBytes);
}

/** A backend whose threads also compute what a host calls (HostWork). */
export interface HostingBackend extends Backend {
  /** Returns when all chunks are computed. */
  runHostWork(chunks: number): void;
  /** Where the numbers of a matrix are in the memory, in bytes; valid as long as the matrix. */
  offsetOf(matrix: Matrix): number;
  /** The offset of scratch for a product p, n×n; valid until the next call. */
  productScratch(n: number): number;
  /** out = alpha·(p + pᵀ) + beta·out for p at `product` and out n×n. */
  mirrorAdd(product: number, out: Matrix, alpha: number, beta: number): void;
}

class WasmBackend implements HostingBackend {
  readonly [backendBrand] = true as const;
  readonly specification = 1;
  readonly name: string;
  readonly precision = 'f32';
  readonly #threads: number;
  readonly #store: HandleStore;
  readonly #panels: HeapBlock;
  readonly #splats: HeapBlock;
  readonly #rows: RowKernels;
  readonly #rowUpdater: RowUpdater;
  #kernels: Kernels;
  #team: WorkerTeam | undefined;
  #solveScratch: HeapBlock;
  #product: HeapBlock;
  #disposed = false;

  constructor(kernels: Kernels, heap: WasmHeap, team: WorkerTeam | undefined, maxTableBytes: number | undefined) {
    this.#threads = 1 + (team?.members.length ?? 0);
    this.name = `wasm f32, ${this.#threads} thread${this.#threads === 1 ? '' : 's'}`;
    this.#kernels = kernels;
    this.#team = team;
    this.#store = new HandleStore(heap, maxTableBytes);
    this.#rows = new RowKernels(this.#store);
    this.#rowUpdater = new RowUpdater(this.#store);
    this.#panels = heap.allocate(gemmScratchBytes, 'createWasmBackend');
    this.#splats = heap.allocate(splatBytes(this.#threads), 'createWasmBackend');
    this.#solveScratch = heap.allocate(0, 'createWasmBackend');
    this.#product = heap.allocate(0, 'createWasmBackend');
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  get #heap(): WasmHeap {
    return this.#store.heap;
  }

  createMatrix(rows: number, columns: number): Matrix {
    this.#checkLive('createMatrix');
    return this.#store.createMatrix(this, rows, columns);
  }

  createTable(rows: number, columns: number): RowTable {
    this.#checkLive('createTable');
    return this.#store.createTable(this, rows, columns);
  }

  createIndices(capacity: number): Indices {
    this.#checkLive('createIndices');
    return this.#store.createIndices(this, capacity);
  }

  viewRows(table: RowTable, firstRow: number, count: number): Matrix | undefined {
    return this.#store.viewRows(this, table, firstRow, count);
  }

  growTable(table: RowTable, rows: number): void {
    this.#store.growTable(table, rows);
  }

  release(handle: Matrix | RowTable | Indices): void {
    this.#store.release(handle);
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
    writeTableRows(values, firstRow, count, rowsOf(table));
  }

  read(source: Matrix, out: FloatArray): Promise<void> {
    this.#copyTo(out, source);
    return this.synchronize();
  }

  readSync(source: Matrix, out: FloatArray): void {
    const loss = this.#team?.findLoss();
    if (loss !== undefined) throw loss;
    this.#copyTo(out, source);
  }

  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void> {
    readTableRows(rowsOf(table), firstRow, count, out);
    return this.synchronize();
  }

  synchronize(): Promise<void> {
    const loss = this.#team?.findLoss();
    return loss === undefined ? Promise.resolve() : Promise.reject(loss);
  }

  memory(): MemoryReport {
    return this.#store.memory();
  }

  async dispose(): Promise<void> {
    const team = this.#team;
    this.#disposed = true;
    // Operations reject a disposed backend, so no kernel is called any more; both references to the memory are dropped.
    this.#kernels = {} as Kernels;
    this.#store.dispose();
    this.#team = undefined;
    await team?.dispose();
  }

  fill(value: number, out: Matrix): void {
    this.#kernels.fill(value, at(out), out.rows * out.columns);
  }

  copy(source: Matrix, out: Matrix): void {
    const length = out.rows * out.columns;
    this.#kernels.copyColumns(at(source), length, at(out), length, 1, length);
  }

  copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void {
    this.#kernels.copyColumns(
      at(source) + 4 * sourceColumn,
      source.columns,
      at(out) + 4 * outColumn,
      out.columns,
      out.rows,
      count,
    );
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
    this.#kernels.binary(
      binaryNumbers.multiply,
      at(source),
      at(factors),
      at(out),
      source.rows,
      source.columns,
      1,
      0,
      this.#splats.offset,
    );
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
      // b is not broadcast by rows or columns: one run over all numbers.
      this.#kernels.binary(number, at(a), at(b), at(out), 1, rows * columns, 0, same ? 1 : 0, this.#splats.offset);
      return;
    }
    const rowStride = b.rows === 1 ? 0 : b.columns;
    this.#kernels.binary(
      number,
      at(a),
      at(b),
      at(out),
      rows,
      columns,
      rowStride,
      b.columns === 1 ? 0 : 1,
      this.#splats.offset,
    );
  }

  reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void {
    const { rows, columns } = x;
    const number = reduceNumbers[operation];
    if (out.rows === rows && out.columns === columns)
      this.#kernels.reduceRows(number, at(x), rows * columns, 1, at(out));
    else if (out.rows === 1 && out.columns === 1) this.#kernels.reduceRows(number, at(x), 1, rows * columns, at(out));
    else if (out.columns === 1) this.#kernels.reduceRows(number, at(x), rows, columns, at(out));
    else this.#kernels.reduceColumns(number, at(x), rows, columns, at(out));
  }

  gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
    this.#rows.gather(this.#kernels, source, indices, out);
  }

  scatterAddRows(source: Matrix, indices: Indices, scale: number, destination: Matrix | RowTable): void {
    this.#rows.add(this.#kernels, indices, undefined, undefined, source, scale, destination);
  }

  scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
    this.#rows.scatter(this.#kernels, source, indices, destination);
  }

  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
    this.#solveScratch = this.#store.grown(
      this.#solveScratch,
      solveScratchBytes(a.rows, this.#threads),
      `solve: the scratch for ${a.rows}×${a.rows}`,
    );
    const estimate = this.#kernels.solve(a.rows, b.columns, at(a), at(b), at(out), this.#solveScratch.offset);
    this.#heap.floats[at(reciprocalCondition) >>> 2] = estimate;
  }

  /** One product and its transpose: half the work of two gemms, and the result is bitwise symmetric. */
  symmetricRank2Update(a: Matrix, b: Matrix, out: Matrix, { transpose, alpha, beta }: RankUpdateSettings): void {
    const n = out.rows;
    const product = this.productScratch(n);
    this.#multiply(n, n, transpose ? a.columns : a.rows, a, b, product, !transpose, transpose, 1, 0);
    this.mirrorAdd(product, out, alpha, beta);
  }

  runHostWork(chunks: number): void {
    this.#kernels.runHostWork(chunks);
  }

  offsetOf(matrix: Matrix): number {
    return at(matrix);
  }

  productScratch(n: number): number {
    this.#product = this.#store.grown(this.#product, 4 * n * n, `symmetricRank2Update: the scratch for ${n}×${n}`);
    return this.#product.offset;
  }

  mirrorAdd(product: number, out: Matrix, alpha: number, beta: number): void {
    this.#kernels.mirrorAdd(product, at(out), out.rows, alpha, beta);
  }

  sparseTimesRows(
    rowIndices: Indices,
    columnIndices: Indices,
    values: Matrix | undefined,
    source: Matrix | RowTable,
    scale: number,
    out: Matrix | RowTable,
  ): void {
    this.#rows.add(this.#kernels, rowIndices, columnIndices, values, source, scale, out);
  }

  gatheredRowDot(a: Matrix | RowTable, aIndices: Indices, b: Matrix | RowTable, bIndices: Indices, out: Matrix): void {
    this.#rows.dot(this.#kernels, a, aIndices, b, bIndices, out);
  }

  exponentiateRanges(
    table: RowTable,
    starts: Indices,
    source: Matrix,
    sourceIndices: Indices,
    out: Matrix,
    maxima: Matrix,
    sums: Matrix,
  ): boolean {
    return this.#rows.exponentiateRanges(this.#kernels, table, starts, source, sourceIndices, out, maxima, sums);
  }

  combineRanges(table: RowTable, starts: Indices, factors: Matrix, out: Matrix): boolean {
    return this.#rows.combineRanges(this.#kernels, table, starts, factors, out);
  }

  updateRanges(
    factors: Matrix,
    source: Matrix,
    sourceIndices: Indices,
    starts: Indices,
    scale: number,
    out: RowTable | Matrix,
  ): boolean {
    return this.#rows.updateRanges(this.#kernels, factors, source, sourceIndices, starts, scale, out);
  }

  leastSquaresRows(
    table: RowTable,
    offsets: Indices,
    indices: Indices,
    weights: Matrix | undefined,
    base: Matrix,
    shifts: Matrix,
    out: Matrix,
  ): boolean {
    const place = placeOf(table);
    if (place === undefined) return false;
    let longest = 0;
    for (let i = 0; i < out.rows; i++) longest = Math.max(longest, offsets.values[i + 1]! - offsets.values[i]!);
    this.#solveScratch = this.#store.grown(
      this.#solveScratch,
      leastSquaresBytes(longest, out.columns, this.#threads),
      `leastSquaresRows: the scratch for ${longest} rows of ${out.columns}`,
    );
    this.#kernels.leastSquaresRows(
      place.offset,
      place.shift,
      at(offsets),
      at(indices),
      weights === undefined ? none : at(weights),
      at(base),
      at(shifts),
      out.rows,
      out.columns,
      at(out),
      longest,
      this.#solveScratch.offset,
    );
    return true;
  }

  quantizeRows(source: RowTable, firstRow: number, count: number, codes: RowTable, factors: RowTable): boolean {
    return this.#rows.quantize(this.#kernels, source, firstRow, count, codes, factors);
  }

  quantizedProducts(
    codes: RowTable,
    factors: RowTable,
    firstRow: number,
    query: Matrix,
    out: Matrix,
    { alpha, beta }: QuantizedProductSettings,
  ): boolean {
    const codesPlace = placeOf(codes);
    const factorsPlace = placeOf(factors);
    // The query in i16 goes where a product has its panels.
    if (codesPlace === undefined || factorsPlace === undefined || 8 * codes.columns > this.#panels.bytes) return false;
    this.#kernels.quantizedProducts(
      codesPlace.offset,
      codesPlace.shift,
      4 * codes.columns,
      factorsPlace.offset,
      factorsPlace.shift,
      firstRow,
      out.rows,
      at(query),
      alpha,
      beta,
      at(out),
      this.#panels.offset,
    );
    return true;
  }

  fillNormalRows(
    table: RowTable,
    firstRow: number,
    count: number,
    columns: number,
    [firstKey, secondKey]: NormalKeys,
    scale: number,
  ): boolean {
    const place = placeOf(table);
    if (place === undefined) return false;
    const { offset, shift } = place;
    this.#kernels.fillNormalRows(offset, shift, firstRow, count, table.columns, columns, firstKey, secondKey, scale);
    return true;
  }

  updateRows(
    gradient: Matrix,
    indices: Indices,
    table: RowTable,
    moments: readonly RowTable[],
    update: MomentUpdate,
  ): void {
    this.#rowUpdater.update(this.#kernels, gradient, indices, table, moments, update);
  }

  exponentiateRows(x: Matrix, maxima: Matrix, sums: Matrix): void {
    this.#kernels.exponentiateRows(at(x), x.rows, x.columns, at(maxima), at(sums));
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
    this.#kernels.gemm(
      m,
      n,
      k,
      at(a),
      at(b),
      out,
      transposeA ? 1 : 0,
      transposeB ? 1 : 0,
      alpha,
      beta,
      this.#panels.offset,
    );
  }

  #copyTo(out: FloatArray, source: Matrix): void {
    const first = at(source) >>> 2;
    out.set(this.#heap.floats.subarray(first, first + source.rows * source.columns));
  }

  #checkLive(operation: string): void {
    if (this.#disposed) throw new LinalgError('disposed', `${operation}: the backend '${this.name}' was disposed`);
  }
}
