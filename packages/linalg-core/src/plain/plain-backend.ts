/**
 * The plain TypeScript backend: clear loops on typed arrays, no dependency. It is the reference implementation: where
 * backend.ts leaves a doubt, it means what this backend does. Its f64 is the reference for other backends and all
 * gradients.
 */
import { backendBrand, Indices, isMatrix, isRowTable, Matrix, RowTable, type Backend } from '../backend.ts';
import { LinalgError } from '../errors.ts';
import {
  addTableRows,
  dotTableRows,
  allocate,
  arrayRows,
  gatherArrayRows,
  gatherTableRows,
  readTableRows,
  scatterArrayRows,
  scatterTableRows,
  TablePieces,
  writeTableRows,
  type TableRows,
} from '../host-table.ts';
import type {
  BinaryOperation,
  FloatArray,
  GemmSettings,
  MemoryReport,
  MomentUpdate,
  Precision,
  ProbeResult,
  QuantizedProductSettings,
  RankUpdateSettings,
  ReduceOperation,
  UnaryOperation,
} from '../kernel-types.ts';
import { addWithTranspose, createGemm } from './gemm.ts';
import { applyBinary, applyUnary, createSolve, exponentiateRowsOf, reduceInto, rowDotInto } from './kernels.ts';
import { multiplyQuantizedRows, quantizeTableRows } from './quantized-rows.ts';
import { updateTableRows } from './update-rows.ts';

/** What the plain backend stores between kernels. */
export interface PlainBackendOptions {
  /** 'f32' unless given. */
  readonly precision?: Precision;
}

/** Always available, everywhere JavaScript runs. */
export function probePlainBackend(): ProbeResult {
  return { available: true, detail: 'plain TypeScript, one thread' };
}

/** The plain CPU backend. Arithmetic is f64 inside a kernel; `precision` says what is stored between kernels. */
export function createPlainBackend(options: PlainBackendOptions = {}): Backend {
  const { precision = 'f32' } = options;
  if (precision !== 'f32' && precision !== 'f64') {
    throw new LinalgError(
      'bad-option',
      `createPlainBackend: precision must be 'f32' or 'f64', got '${String(precision)}'`,
    );
  }
  return new PlainBackend(precision);
}

/**
 * The array that holds the numbers of a matrix of a plain backend, row by row; not a copy, and as long as its capacity.
 * For backends that pass the same memory to other kernels; their handles may carry the storage of a plain matrix. Valid
 * as long as the matrix.
 * @throws LinalgError `backend-mismatch` for a matrix that is not in such an array, `disposed` after its disposal
 */
export function hostArray(matrix: Matrix): FloatArray {
  const { storage, backend } = matrix;
  if (!(storage instanceof Float32Array || storage instanceof Float64Array)) {
    throw new LinalgError(
      'backend-mismatch',
      `hostArray: the matrix belongs to the backend '${backend.name}'; only those of a plain backend are in host arrays`,
    );
  }
  if (matrix.disposed)
    throw new LinalgError('disposed', `hostArray: the matrix was disposed (it was ${matrix.rows}×${matrix.columns})`);
  return storage;
}

function dataOf(matrix: Matrix): FloatArray {
  return matrix.storage as FloatArray;
}

function piecesOf(table: RowTable): TablePieces {
  return table.storage as TablePieces;
}

function rowsOf(handle: Matrix | RowTable): TableRows {
  return isRowTable(handle) ? piecesOf(handle) : arrayRows(dataOf(handle), handle.columns);
}

class PlainBackend implements Backend {
  readonly [backendBrand] = true as const;
  readonly specification = 1;
  readonly name: string;
  readonly precision: Precision;
  readonly #multiply = createGemm();
  readonly #solve = createSolve();
  readonly #live = { matrices: 0, tables: 0, indices: 0, bytes: 0 };
  #square: FloatArray;
  /** Kernels write nothing: see `guard`. */
  #isBlocked = false;
  #disposed = false;

  constructor(precision: Precision) {
    this.precision = precision;
    this.name = `plain ${precision}`;
    this.#square = allocate(0, precision);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  createMatrix(rows: number, columns: number): Matrix {
    this.#checkLive('createMatrix');
    const matrix = new Matrix(this, rows, columns, allocate(Math.max(0, rows * columns) || 0, this.precision));
    this.#live.matrices++;
    this.#live.bytes += this.#bytes(matrix);
    return matrix;
  }

  createTable(rows: number, columns: number): RowTable {
    this.#checkLive('createTable');
    const pieces = new TablePieces(columns, this.precision);
    const table = new RowTable(this, rows, columns, pieces);
    pieces.grow(rows);
    this.#live.tables++;
    this.#live.bytes += this.#bytes(table);
    return table;
  }

  createIndices(capacity: number): Indices {
    this.#checkLive('createIndices');
    const indices = new Indices(this, capacity, undefined);
    this.#live.indices++;
    this.#live.bytes += this.#bytes(indices);
    return indices;
  }

  growTable(table: RowTable, rows: number): void {
    piecesOf(table).grow(rows);
    this.#live.bytes += (rows - table.rows) * table.columns * this.#bytesPerNumber;
  }

  release(handle: Matrix | RowTable | Indices): void {
    if (isMatrix(handle)) this.#live.matrices--;
    else if (isRowTable(handle)) {
      this.#live.tables--;
      piecesOf(handle).pieces.length = 0;
    } else this.#live.indices--;
    this.#live.bytes -= this.#bytes(handle);
  }

  write(values: ArrayLike<number>, out: Matrix): void {
    dataOf(out).set(values);
  }

  indicesWritten(): void {
    // The host's copy is the storage.
  }

  writeRows(values: ArrayLike<number>, firstRow: number, count: number, table: RowTable): void {
    writeTableRows(values, firstRow, count, piecesOf(table));
  }

  read(source: Matrix, out: FloatArray): Promise<void> {
    this.readSync(source, out);
    return Promise.resolve();
  }

  readSync(source: Matrix, out: FloatArray): void {
    const data = dataOf(source);
    const length = source.rows * source.columns;
    for (let i = 0; i < length; i++) out[i] = data[i]!;
  }

  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void> {
    readTableRows(piecesOf(table), firstRow, count, out);
    return Promise.resolve();
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  memory(): MemoryReport {
    return { ...this.#live };
  }

  dispose(): Promise<void> {
    this.#disposed = true;
    return Promise.resolve();
  }

  fill(value: number, out: Matrix): void {
    if (this.#isBlocked) return;
    dataOf(out).fill(value, 0, out.rows * out.columns);
  }

  copy(source: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    const from = dataOf(source);
    const to = dataOf(out);
    const length = out.rows * out.columns;
    for (let i = 0; i < length; i++) to[i] = from[i]!;
  }

  copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void {
    if (this.#isBlocked) return;
    const from = dataOf(source);
    const to = dataOf(out);
    for (let row = 0; row < out.rows; row++) {
      let i = row * source.columns + sourceColumn;
      let j = row * out.columns + outColumn;
      for (const end = j + count; j < end; i++, j++) to[j] = from[i]!;
    }
  }

  addDiagonal(value: number, out: Matrix): void {
    if (this.#isBlocked) return;
    const data = dataOf(out);
    for (let i = 0; i < out.rows; i++) data[i * (out.columns + 1)]! += value;
  }

  gemm(a: Matrix, b: Matrix, out: Matrix, settings: GemmSettings): void {
    if (this.#isBlocked) return;
    const depth = settings.transposeA ? a.rows : a.columns;
    this.#multiply(out.rows, out.columns, depth, dataOf(a), dataOf(b), dataOf(out), settings);
  }

  rowDot(a: Matrix, b: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    rowDotInto(dataOf(a), dataOf(b), dataOf(out), a.rows, a.columns);
  }

  scaleRows(source: Matrix, factors: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    applyBinary('multiply', dataOf(source), dataOf(factors), dataOf(out), source.rows, source.columns, 1, 0);
  }

  axpy(alpha: number, x: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    const from = dataOf(x);
    const to = dataOf(out);
    const length = out.rows * out.columns;
    for (let i = 0; i < length; i++) to[i] = to[i]! + alpha * from[i]!;
  }

  affine(x: Matrix, scale: number, shift: number, out: Matrix): void {
    if (this.#isBlocked) return;
    const from = dataOf(x);
    const to = dataOf(out);
    const length = out.rows * out.columns;
    for (let i = 0; i < length; i++) to[i] = scale * from[i]! + shift;
  }

  unary(operation: UnaryOperation, x: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    applyUnary(operation, dataOf(x), dataOf(out), out.rows * out.columns);
  }

  binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    const rowStride = b.rows === 1 ? 0 : b.columns;
    const columnStride = b.columns === 1 ? 0 : 1;
    applyBinary(operation, dataOf(a), dataOf(b), dataOf(out), a.rows, a.columns, rowStride, columnStride);
  }

  reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void {
    if (this.#isBlocked) return;
    reduceInto(operation, dataOf(x), x.rows, x.columns, dataOf(out), out.rows, out.columns);
  }

  gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
    if (this.#isBlocked) return;
    const { values, count } = indices;
    if (isMatrix(source)) gatherArrayRows(dataOf(source), values, count, out.columns, dataOf(out));
    else gatherTableRows(piecesOf(source), values, count, dataOf(out), 0);
  }

  scatterAddRows(source: Matrix, indices: Indices, scale: number, destination: Matrix | RowTable): void {
    if (this.#isBlocked) return;
    const { values: outIndices, count } = indices;
    addTableRows({ outIndices, count, scale, isSingle: false }, rowsOf(source), rowsOf(destination));
  }

  scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
    if (this.#isBlocked) return;
    const { values, count } = indices;
    if (isMatrix(destination)) scatterArrayRows(dataOf(source), values, count, source.columns, dataOf(destination));
    else scatterTableRows(dataOf(source), 0, values, count, piecesOf(destination));
  }

  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
    if (this.#isBlocked) return;
    dataOf(reciprocalCondition)[0] = this.#solve(a.rows, b.columns, dataOf(a), dataOf(b), dataOf(out));
  }

  symmetricRank2Update(a: Matrix, b: Matrix, out: Matrix, { transpose, alpha, beta }: RankUpdateSettings): void {
    if (this.#isBlocked) return;
    // One product and its mirror image: half the work of two gemms, and symmetric to the last bit.
    const n = out.rows;
    const depth = transpose ? a.columns : a.rows;
    if (this.#square.length < n * n) this.#square = allocate(n * n, this.precision);
    const product = this.#square;
    const settings = { transposeA: !transpose, transposeB: transpose, alpha: 1, beta: 0 };
    this.#multiply(n, n, depth, dataOf(a), dataOf(b), product, settings);
    addWithTranspose(n, product, alpha, beta, dataOf(out));
  }

  updateRows(
    gradient: Matrix,
    { values, count }: Indices,
    table: RowTable,
    moments: readonly RowTable[],
    update: MomentUpdate,
  ): void {
    if (this.#isBlocked) return;
    updateTableRows(dataOf(gradient), values, count, piecesOf(table), moments.map(piecesOf), update);
  }

  sparseTimesRows(
    rowIndices: Indices,
    columnIndices: Indices,
    values: Matrix | undefined,
    source: Matrix | RowTable,
    scale: number,
    out: Matrix | RowTable,
  ): void {
    if (this.#isBlocked) return;
    const { count, values: outIndices } = rowIndices;
    const sourceIndices = columnIndices.values;
    const factors = values === undefined ? undefined : dataOf(values);
    addTableRows(
      { outIndices, count, sourceIndices, values: factors, scale, isSingle: false },
      rowsOf(source),
      rowsOf(out),
    );
  }

  exponentiateRows(x: Matrix, maxima: Matrix, sums: Matrix): void {
    if (this.#isBlocked) return;
    exponentiateRowsOf(dataOf(x), x.rows, x.columns, dataOf(maxima), dataOf(sums));
  }

  viewRows(table: RowTable, firstRow: number, count: number): Matrix | undefined {
    const { pieces, shift, mask, columns } = piecesOf(table);
    if (count === 0 || firstRow >> shift !== (firstRow + count - 1) >> shift) return undefined;
    const first = (firstRow & mask) * columns;
    const rows = pieces[firstRow >> shift]!.subarray(first, first + count * columns);
    this.#live.matrices++;
    return new Matrix(this, count, columns, rows, table);
  }

  gatheredRowDot(a: Matrix | RowTable, aIndices: Indices, b: Matrix | RowTable, bIndices: Indices, out: Matrix): void {
    if (this.#isBlocked) return;
    dotTableRows(rowsOf(a), aIndices.values, rowsOf(b), bIndices.values, aIndices.count, dataOf(out));
  }

  quantizeRows(source: RowTable, firstRow: number, count: number, codes: RowTable, factors: RowTable): boolean {
    if (!this.#isBlocked) quantizeTableRows(piecesOf(source), firstRow, count, piecesOf(codes), piecesOf(factors));
    return true;
  }

  quantizedProducts(
    codes: RowTable,
    factors: RowTable,
    firstRow: number,
    query: Matrix,
    out: Matrix,
    settings: QuantizedProductSettings,
  ): boolean {
    if (this.#isBlocked) return true;
    const tables = [piecesOf(codes), piecesOf(factors)] as const;
    multiplyQuantizedRows(...tables, firstRow, dataOf(query), dataOf(out), out.rows, settings);
    return true;
  }

  guard(flag: Matrix | undefined): void {
    this.#isBlocked = flag !== undefined && !(dataOf(flag)[0]! > 0);
  }

  get #bytesPerNumber(): number {
    return this.precision === 'f32' ? 4 : 8;
  }

  #bytes(handle: Matrix | RowTable | Indices): number {
    if (isMatrix(handle)) return handle.viewed === undefined ? handle.capacity * this.#bytesPerNumber : 0;
    if (isRowTable(handle)) return handle.rows * handle.columns * this.#bytesPerNumber;
    return handle.capacity * 4;
  }

  #checkLive(operation: string): void {
    if (this.#disposed) throw new LinalgError('disposed', `${operation}: the backend '${this.name}' was disposed`);
  }
}
