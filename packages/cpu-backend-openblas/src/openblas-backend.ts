/**
 * A backend built on another one: matrices, tables and indices have the storage of an inner host backend, whose kernels
 * accept these handles because they use only shape and storage. The BLAS computes products, rank updates and small
 * systems, on the same memory. A third set of elementwise and row kernels was rejected (docs/decisions/0015).
 */
import {
  backendBrand,
  Indices,
  LinalgError,
  Matrix,
  RowTable,
  type Backend,
  type BinaryOperation,
  type FloatArray,
  type GemmSettings,
  type MemoryReport,
  type Precision,
  type RankUpdateSettings,
  type ReduceOperation,
  type UnaryOperation,
} from '@vastmax/linalg-core';
import type { BlasLibrary } from './blas-library.ts';
import { createLapackSolve, type LapackSolve } from './lapack-solve.ts';
import { lower, noTranspose, rowMajor, transpose as transposed, type BlasFunctions } from './native-functions.ts';
import { mirrorLower, multiply, transposeSquare } from './products.ts';
import type { SharedProducts } from './shared-products.ts';

/** A backend whose numbers are in host memory. */
export interface InnerBackend {
  readonly backend: Backend;
  /**
   * The array with the numbers; it is requested before each call of the BLAS, because a heap may move when it grows.
   */
  readonly view: (matrix: Matrix) => FloatArray;
  /** Products on the threads of the inner backend, instead of the library's own. */
  readonly shared?: SharedProducts | undefined;
}

/** @param threads undefined when the library decides */
export function composeBackend(inner: InnerBackend, library: BlasLibrary, threads: number | undefined): Backend {
  return new OpenBlasBackend(inner, library, threads);
}

class OpenBlasBackend implements Backend {
  readonly [backendBrand] = true as const;
  readonly specification = 1;
  readonly name: string;
  readonly precision: Precision;
  /** The fused row kernels of the inner backend, where it has them. */
  readonly sparseTimesRows?: NonNullable<Backend['sparseTimesRows']>;
  readonly gatheredRowDot?: NonNullable<Backend['gatheredRowDot']>;
  readonly exponentiateRanges?: NonNullable<Backend['exponentiateRanges']>;
  readonly combineRanges?: NonNullable<Backend['combineRanges']>;
  readonly updateRanges?: NonNullable<Backend['updateRanges']>;
  readonly quantizeRows?: NonNullable<Backend['quantizeRows']>;
  readonly quantizedProducts?: NonNullable<Backend['quantizedProducts']>;
  readonly fillNormalRows?: NonNullable<Backend['fillNormalRows']>;
  readonly updateRows?: NonNullable<Backend['updateRows']>;
  readonly leastSquaresRows?: NonNullable<Backend['leastSquaresRows']>;
  readonly exponentiateRows?: NonNullable<Backend['exponentiateRows']>;
  readonly #inner: Backend;
  readonly #view: (matrix: Matrix) => FloatArray;
  readonly #library: BlasLibrary;
  readonly #blas: BlasFunctions;
  readonly #solve: LapackSolve | undefined;
  readonly #shared: SharedProducts | undefined;
  /** Of the library. */
  readonly #threads: number | undefined;
  #product: FloatArray = new Float32Array(0);
  #mirrored: FloatArray = new Float32Array(0);
  #disposed = false;

  constructor({ backend, view, shared }: InnerBackend, library: BlasLibrary, threads: number | undefined) {
    const { precision } = backend;
    this.precision = precision;
    this.name = `openblas ${precision}, ${threads === undefined ? "the library's threads" : `${threads} ${threads === 1 ? 'thread' : 'threads'}`}`;
    this.#inner = backend;
    if (backend.sparseTimesRows !== undefined) this.sparseTimesRows = backend.sparseTimesRows.bind(backend);
    if (backend.gatheredRowDot !== undefined) this.gatheredRowDot = backend.gatheredRowDot.bind(backend);
    if (backend.exponentiateRanges !== undefined) this.exponentiateRanges = backend.exponentiateRanges.bind(backend);
    if (backend.combineRanges !== undefined) this.combineRanges = backend.combineRanges.bind(backend);
    if (backend.updateRanges !== undefined) this.updateRanges = backend.updateRanges.bind(backend);
    if (backend.quantizeRows !== undefined) this.quantizeRows = backend.quantizeRows.bind(backend);
    if (backend.quantizedProducts !== undefined) this.quantizedProducts = backend.quantizedProducts.bind(backend);
    if (backend.fillNormalRows !== undefined) this.fillNormalRows = backend.fillNormalRows.bind(backend);
    if (backend.updateRows !== undefined) this.updateRows = backend.updateRows.bind(backend);
    if (backend.leastSquaresRows !== undefined) this.leastSquaresRows = backend.leastSquaresRows.bind(backend);
    if (backend.exponentiateRows !== undefined) this.exponentiateRows = backend.exponentiateRows.bind(backend);
    this.#view = view;
    this.#library = library;
    this.#blas = library[precision];
    const isSafe = library.hasDeepStack || library.threads !== undefined;
    this.#solve =
      library.lapack === undefined || !isSafe
        ? undefined
        : createLapackSolve(this.#blas, library.lapack[precision], precision);
    this.#shared = shared;
    this.#threads = shared === undefined ? threads : 1;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  createMatrix(rows: number, columns: number): Matrix {
    this.#checkLive('createMatrix');
    return new Matrix(this, rows, columns, this.#inner.createMatrix(rows, columns).storage);
  }

  createTable(rows: number, columns: number): RowTable {
    this.#checkLive('createTable');
    return new RowTable(this, rows, columns, this.#inner.createTable(rows, columns).storage);
  }

  createIndices(capacity: number): Indices {
    this.#checkLive('createIndices');
    return new Indices(this, capacity, this.#inner.createIndices(capacity).storage);
  }

  viewRows(table: RowTable, firstRow: number, count: number): Matrix | undefined {
    const view = this.#inner.viewRows?.(table, firstRow, count);
    return view === undefined ? undefined : new Matrix(this, count, table.columns, view.storage, table);
  }

  growTable(table: RowTable, rows: number): void {
    this.#inner.growTable(table, rows);
  }

  release(handle: Matrix | RowTable | Indices): void {
    this.#inner.release(handle);
  }

  write(values: ArrayLike<number>, out: Matrix): void {
    this.#inner.write(values, out);
  }

  indicesWritten(indices: Indices): void {
    this.#inner.indicesWritten(indices);
  }

  writeRows(values: ArrayLike<number>, firstRow: number, count: number, table: RowTable): void {
    this.#inner.writeRows(values, firstRow, count, table);
  }

  read(source: Matrix, out: FloatArray): Promise<void> {
    return this.#inner.read(source, out);
  }

  readSync(source: Matrix, out: FloatArray): void {
    if (this.#inner.readSync !== undefined) this.#inner.readSync(source, out);
    else out.set(this.#view(source).subarray(0, source.rows * source.columns));
  }

  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void> {
    return this.#inner.readRows(table, firstRow, count, out);
  }

  synchronize(): Promise<void> {
    return this.#inner.synchronize();
  }

  memory(): MemoryReport {
    return this.#inner.memory();
  }

  dispose(): Promise<void> {
    this.#disposed = true;
    return this.#inner.dispose();
  }

  fill(value: number, out: Matrix): void {
    this.#inner.fill(value, out);
  }

  copy(source: Matrix, out: Matrix): void {
    this.#inner.copy(source, out);
  }

  copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void {
    this.#inner.copyColumns(source, sourceColumn, out, outColumn, count);
  }

  addDiagonal(value: number, out: Matrix): void {
    this.#inner.addDiagonal(value, out);
  }

  gemm(a: Matrix, b: Matrix, out: Matrix, settings: GemmSettings): void {
    const { rows: m, columns: n } = out;
    const k = settings.transposeA ? a.rows : a.columns;
    if (m === 0 || n === 0 || k === 0) {
      this.#inner.gemm(a, b, out, settings);
      return;
    }
    // In some releases of OpenBLAS gemv multiplies out by a beta of 0, so that NaN stays NaN.
    if (settings.beta === 0 && (m === 1 || n === 1)) this.#inner.fill(0, out);
    this.#claimThreads();
    if (this.#shared?.isWorthSharing(m, n, k) === true) {
      const { backend } = this.#shared;
      this.#shared.multiply(m, n, k, backend.offsetOf(a), backend.offsetOf(b), backend.offsetOf(out), settings);
      return;
    }
    multiply(this.#blas, m, n, k, this.#view(a), this.#view(b), this.#view(out), settings);
  }

  rowDot(a: Matrix, b: Matrix, out: Matrix): void {
    this.#inner.rowDot(a, b, out);
  }

  scaleRows(source: Matrix, factors: Matrix, out: Matrix): void {
    this.#inner.scaleRows(source, factors, out);
  }

  axpy(alpha: number, x: Matrix, out: Matrix): void {
    // The wasm kernel is as fast; the plain one takes five times as long.
    if (this.precision === 'f64') this.#blas.axpy(out.rows * out.columns, alpha, this.#view(x), 1, this.#view(out), 1);
    else this.#inner.axpy(alpha, x, out);
  }

  affine(x: Matrix, scale: number, shift: number, out: Matrix): void {
    this.#inner.affine(x, scale, shift, out);
  }

  unary(operation: UnaryOperation, x: Matrix, out: Matrix): void {
    this.#inner.unary(operation, x, out);
  }

  binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void {
    this.#inner.binary(operation, a, b, out);
  }

  reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void {
    this.#inner.reduce(operation, x, out);
  }

  gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
    this.#inner.gatherRows(source, indices, out);
  }

  scatterAddRows(source: Matrix, indices: Indices, scale: number, destination: Matrix | RowTable): void {
    this.#inner.scatterAddRows(source, indices, scale, destination);
  }

  scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
    this.#inner.scatterRows(source, indices, destination);
  }

  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
    if (this.#solve !== undefined && a.rows > 0) {
      this.#claimThreads(this.#library.hasDeepStack ? this.#threads : 1);
      if (b.columns === 1) this.#inner.fill(0, out);
      const estimate = this.#solve(a.rows, b.columns, this.#view(a), this.#view(b), this.#view(out));
      if (estimate !== undefined) {
        this.#view(reciprocalCondition)[0] = estimate;
        return;
      }
    }
    this.#inner.solve(a, b, out, reciprocalCondition);
  }

  /**
   * One product p = alpha·op(a)·op(b) and its transpose: half the work of two gemms, and p + pᵀ is bitwise symmetric.
   * syr2k, which fills one triangle, takes as long as the product and would still have to be mirrored. For a·aᵀ alone
   * syrk takes half of it.
   */
  symmetricRank2Update(a: Matrix, b: Matrix, out: Matrix, { transpose, alpha, beta }: RankUpdateSettings): void {
    const n = out.rows;
    const depth = transpose ? a.columns : a.rows;
    if (n === 0 || depth === 0) {
      this.gemm(a, b, out, { transposeA: !transpose, transposeB: transpose, alpha, beta });
      return;
    }
    this.#claimThreads();
    if (this.#shared?.isWorthSharing(n, n, depth) === true) {
      const { backend } = this.#shared;
      const product = backend.productScratch(n);
      const settings = { transposeA: !transpose, transposeB: transpose, alpha: 1, beta: 0 };
      this.#shared.multiply(n, n, depth, backend.offsetOf(a), backend.offsetOf(b), product, settings);
      backend.mirrorAdd(product, out, alpha, beta);
      return;
    }
    if (a === b && beta === 0) {
      const to = this.#view(out);
      const [rows, stride] = transpose ? [noTranspose, depth] : [transposed, n];
      this.#blas.syrk(rowMajor, lower, rows, n, depth, 2 * alpha, this.#view(a), stride, 0, to, n);
      mirrorLower(n, to);
      return;
    }
    const length = n * n;
    this.#product = this.#grown(this.#product, length);
    const product = this.#product;
    if (n === 1) product[0] = 0;
    multiply(this.#blas, n, n, depth, this.#view(a), this.#view(b), product, {
      transposeA: !transpose,
      transposeB: transpose,
      alpha,
      beta: 0,
    });
    if (beta === 0) {
      const to = this.#view(out);
      this.#mirror(n, product, to);
      this.#blas.axpy(length, 1, product, 1, to, 1);
      return;
    }
    this.#mirrored = this.#grown(this.#mirrored, length);
    this.#mirror(n, product, this.#mirrored);
    this.#blas.axpy(length, 1, this.#mirrored, 1, product, 1);
    if (beta !== 1) this.#inner.affine(out, beta, 0, out);
    this.#blas.axpy(length, 1, product, 1, this.#view(out), 1);
  }

  #mirror(n: number, source: FloatArray, out: FloatArray): void {
    const { omatcopy } = this.#blas;
    if (omatcopy === undefined) transposeSquare(n, source, out);
    else omatcopy(rowMajor, transposed, n, n, 1, source, n, out, n);
  }

  /** Scratch of at least `length` numbers; its content is lost when it grows. */
  #grown(scratch: FloatArray, length: number): FloatArray {
    if (scratch.length >= length) return scratch;
    return this.precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
  }

  /** The count belongs to the process: another backend or addon may have set it. Reading it costs 30 ns. */
  #claimThreads(count = this.#threads): void {
    const { threads } = this.#library;
    if (threads !== undefined && count !== undefined && threads.get() !== count) threads.set(count);
  }

  #checkLive(operation: string): void {
    if (this.#disposed) throw new LinalgError('disposed', `${operation}: the backend '${this.name}' was disposed`);
  }
}
