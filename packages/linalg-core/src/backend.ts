/**
 * What a backend implements, and the three kinds of handles that it creates; one file because each names the other.
 *
 * Kernels are few, unchecked (the operations of this package have checked shapes, lifetime, aliasing and ownership
 * before they call one), synchronous to call, run as if in call order, and write into `out`. A backend implements these
 * and nothing else; docs/writing-a-backend.md walks through one.
 *
 * A handle knows its shape and its lifetime; only the backend that created it reads its `storage`. A Matrix can be
 * resized within its capacity, because minibatches, target lists and touched rows vary from step to step and a training
 * loop must not create handles. Rejected: views (a second handle on the same storage), whose lifetime and aliasing
 * every backend would have to track.
 */
import { describeShape, LinalgError } from './errors.ts';
import type {
  BinaryOperation,
  FloatArray,
  GemmSettings,
  MemoryReport,
  MomentUpdate,
  Precision,
  QuantizedProductSettings,
  RankUpdateSettings,
  ReduceOperation,
  UnaryOperation,
} from './kernel-types.ts';

// Engines without the symbols of `using` (Node before 18.18, some browsers) get them here, as esbuild and Babel look for
// them. In this file, since everything that is disposed of is made of its classes.
for (const name of ['dispose', 'asyncDispose']) {
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}

/** The property by which {@link isBackend} recognises a backend of any copy of this package. */
export const backendBrand: unique symbol = Symbol.for('vastmax.backend') as never;

/**
 * What a backend implements: storage, and kernels that run as if in call order. Programs call the operations of this
 * package, which check their arguments first.
 */
export interface Backend {
  readonly [backendBrand]: true;
  readonly specification: 1;
  /** Shown to people: `plain f32`. */
  readonly name: string;
  readonly precision: Precision;
  readonly disposed: boolean;

  // Storage. New handles are filled with zeros.
  createMatrix(rows: number, columns: number): Matrix;
  createTable(rows: number, columns: number): RowTable;
  createIndices(capacity: number): Indices;
  /** Adds zero rows until there are `rows` ≥ table.rows. O(new rows), plus one bounded piece copied at most. */
  growTable(table: RowTable, rows: number): void;
  /** Called once, when a handle is disposed; pending work that uses it still completes. */
  release(handle: Matrix | RowTable | Indices): void;
  /** All rows·columns numbers of `out`, row by row; the values are copied before the call returns. */
  write(values: ArrayLike<number>, out: Matrix): void;
  /** The host's values are in `indices.values`, the first `indices.count`. */
  indicesWritten(indices: Indices): void;
  /** `count` rows from `firstRow` on. */
  writeRows(values: ArrayLike<number>, firstRow: number, count: number, table: RowTable): void;
  /** The value as of the call, into `out` (at least rows·columns long). */
  read(source: Matrix, out: FloatArray): Promise<void>;
  /**
   * The same without waiting, completing pending work that `source` depends on. Optional: for backends whose numbers
   * are in host memory. Reason: synchronous calls that need a few numbers of another process.
   */
  readSync?(source: Matrix, out: FloatArray): void;
  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void>;
  /** Resolves when all work called so far is done; rejects with `device-lost` or `out-of-memory` if it cannot be. */
  synchronize(): Promise<void>;
  memory(): MemoryReport;
  dispose(): Promise<void>;

  // Dense.
  fill(value: number, out: Matrix): void;
  /** Same number of elements; shapes may differ. */
  copy(source: Matrix, out: Matrix): void;
  /** `count` columns of every row. */
  copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void;
  /** out_ii += value. Reason: I − ηA and the resets U = X = I. */
  addDiagonal(value: number, out: Matrix): void;
  /** out = alpha·op(a)·op(b) + beta·out. */
  gemm(a: Matrix, b: Matrix, out: Matrix, settings: GemmSettings): void;
  /** out_i = Σⱼ a_ij b_ij, m×1. */
  rowDot(a: Matrix, b: Matrix, out: Matrix): void;
  /** out_ij = factors_i · source_ij, factors m×1; `out` may be `source`. */
  scaleRows(source: Matrix, factors: Matrix, out: Matrix): void;
  /** out += alpha·x. */
  axpy(alpha: number, x: Matrix, out: Matrix): void;
  /** out = scale·x + shift; `out` may be `x`. Reason: constants in a user's loss, weight decay. */
  affine(x: Matrix, scale: number, shift: number, out: Matrix): void;
  unary(operation: UnaryOperation, x: Matrix, out: Matrix): void;
  binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void;
  /** Reduces each dimension in which out is 1: m×1, 1×n, 1×1, or x's own shape. `maximum` of nothing is -Infinity. */
  reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void;

  // Rows.
  gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void;
  /** destination[indices_i] += scale·source_i; repeated indices accumulate, in an order that is the same every time. */
  scatterAddRows(source: Matrix, indices: Indices, scale: number, destination: Matrix | RowTable): void;
  /**
   * destination[indices_i] = source_i; a repeated index takes the last. Reason: a row converted to a new basis must not
   * be rounded twice.
   */
  scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void;

  // Small systems.
  /**
   * a·out = b for square a, by LU with partial pivoting or as well; `reciprocalCondition` (1×1) receives an estimate of
   * 1/(‖a‖₁‖a⁻¹‖₁), 0 when a is singular: then `out` may hold anything. Near the identity, ‖I − a‖₁ ≤ 1/8, the excess
   * of the estimated condition over 1 is at least half the true one: layers multiply the conditions of many steps.
   */
  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void;

  // Fused, optional: each equals a composition of the above, which is used where a backend has none.
  /** out = alpha·(aᵀb + bᵀa) + beta·out, or alpha·(abᵀ + baᵀ) + beta·out when `transpose`. */
  symmetricRank2Update?(a: Matrix, b: Matrix, out: Matrix, settings: RankUpdateSettings): void;
  /**
   * Rows indices_i of `table` and of its moments change by row i of `gradient`, in place; no index is repeated. `gradient`
   * may be overwritten. Reason: gathering and scattering the rows and moments costs more than the rest of a step.
   */
  updateRows?(
    gradient: Matrix,
    indices: Indices,
    table: RowTable,
    moments: readonly RowTable[],
    update: MomentUpdate,
  ): void;
  /**
   * out[rowIndices_e] += scale·values_e·source[columnIndices_e], in the order of the lists; all values 1 where there are
   * none. Reason: the rows of a bag of features need not be gathered before they are summed.
   */
  sparseTimesRows?(
    rowIndices: Indices,
    columnIndices: Indices,
    values: Matrix | undefined,
    source: Matrix | RowTable,
    scale: number,
    out: Matrix | RowTable,
  ): void;
  /**
   * x_ij ← exp(x_ij − max_j x_ij); `maxima` and `sums`, m×1, receive the largest old and the sum of the new numbers of
   * each row. Reason: a softmax over many classes is one pass instead of four.
   */
  exponentiateRows?(x: Matrix, maxima: Matrix, sums: Matrix): void;

  /**
   * Optional: `count` rows of `table` from `firstRow` on as a matrix over the same numbers; undefined where they are
   * not one after the other in memory that all kernels reach. Reason: a product with a block of a table needs no copy
   * of it. The handle counts as a matrix, and its bytes are those of the table.
   */
  viewRows?(table: RowTable, firstRow: number, count: number): Matrix | undefined;

  /**
   * out_i = a[aIndices_i] · b[bIndices_i]. Reason: a step of a tree's nodes or of drawn classes needs the products of
   * few pairs of rows, and gathering both rows of each pair costs more than their product.
   */
  gatheredRowDot?(a: Matrix | RowTable, aIndices: Indices, b: Matrix | RowTable, bIndices: Indices, out: Matrix): void;

  /**
   * For ranges of rows starts_i … starts_i + n − 1, as far as the table has them, and n columns of `out`:
   * out_ij = exp(o_ij − maxima_i) for o_ij = table[starts_i + j] · source[sourceIndices_i] and maxima_i = max_j o_ij, 0
   * beyond the table; sums_i = Σ_j out_ij. This and the next two return false, with nothing done, for a table that they
   * cannot use in place; the composition is then used. Reason: the children of a node of a tree are such a range, and
   * copying them out of the table and back costs more than the rest of a step.
   */
  exponentiateRanges?(
    table: RowTable,
    starts: Indices,
    source: Matrix,
    sourceIndices: Indices,
    out: Matrix,
    maxima: Matrix,
    sums: Matrix,
  ): boolean;
  /** out_i = Σ_j factors_ij·table[starts_i + j]; `factors` are 0 beyond the table. */
  combineRanges?(table: RowTable, starts: Indices, factors: Matrix, out: Matrix): boolean;
  /**
   * out[starts_i + j] += scale·factors_ij·source[sourceIndices_i]; `factors` are 0 beyond `out`. The starts ascend, and
   * two ranges are the same or have no row in common.
   */
  updateRanges?(
    factors: Matrix,
    source: Matrix,
    sourceIndices: Indices,
    starts: Indices,
    scale: number,
    out: RowTable | Matrix,
  ): boolean;

  /**
   * For each list of rows of `table`, those of indices_e for e from offsets_i to offsets_(i+1) − 1, of weights w (all 1
   * where there are none): out_i = argmin_x Σ w_e(table[indices_e]·x − 1)² + xᵀBx with B = diag(base + shifts_i), and 0
   * for an empty list. False, with nothing done, for a table that it cannot use in place; the composition is then used.
   * Reason: a sweep of alternating least squares solves ten thousands of small systems.
   */
  leastSquaresRows?(
    table: RowTable,
    offsets: Indices,
    indices: Indices,
    weights: Matrix | undefined,
    base: Matrix,
    shifts: Matrix,
    out: Matrix,
  ): boolean;

  /**
   * Rows of `source` in 8 bits, into the same rows of `codes` (bits: four codes a number) and of `factors`: a scale and a
   * distance, as the operation says. This and the next return false, with nothing done, for tables that they cannot use
   * in place. Reason: a search over all rows is bound by reading them, and these are a quarter as long.
   */
  quantizeRows?(source: RowTable, firstRow: number, count: number, codes: RowTable, factors: RowTable): boolean;
  /** out_i = alpha·scale·(c·query) + beta·distance for rows firstRow + i; `query` holds whole numbers. */
  quantizedProducts?(
    codes: RowTable,
    factors: RowTable,
    firstRow: number,
    query: Matrix,
    out: Matrix,
    settings: QuantizedProductSettings,
  ): boolean;

  /**
   * Rows firstRow … of `table`: `columns` numbers of drawNormalRows with these keys, and zeros. False, with nothing done,
   * for a table that it cannot use in place; the rows are then drawn on the host. Reason: a layer of 10⁶ classes begins
   * with some 10⁸ random numbers.
   */
  fillNormalRows?(
    table: RowTable,
    firstRow: number,
    count: number,
    columns: number,
    keys: readonly [number, number],
    scale: number,
  ): boolean;

  // Optional, for backends where reading a number means waiting for a device.
  /**
   * From here on kernels (dense, rows, small systems, fused) write only if the one number of `flag` is above 0 as of
   * this call, and leave `out` unchanged otherwise; `undefined` ends this. Storage calls are not affected. So a device
   * can reject a step before the host knows that it must be rejected.
   */
  guard?(flag: Matrix | undefined): void;
  /** Start the work called so far, where calls are only recorded. Affects nothing but when results arrive. */
  submit?(): void;
}

/** True for a backend of any package; the brand is shared through `Symbol.for`. */
export function isBackend(value: unknown): value is Backend {
  return typeof value === 'object' && value !== null && backendBrand in value;
}

type HandleKind = 'matrix' | 'table' | 'indices';
/** Recognises handles of another copy of this package, where `instanceof` would not. */
const handleBrand = Symbol.for('vastmax.handle');

/** A dense row-major matrix on a backend: the first rows·columns numbers of its storage. Its creator disposes it. */
export class Matrix implements Disposable {
  readonly backend: Backend;
  /** For the backend only. */
  readonly storage: unknown;
  /** How many numbers fit: rows·columns as created. */
  readonly capacity: number;
  /** The table whose rows these are, for a view (`viewRows`). */
  readonly viewed: RowTable | undefined;
  readonly #viewedRows: number;
  #rows: number;
  #columns: number;
  #disposed = false;

  constructor(backend: Backend, rows: number, columns: number, storage: unknown, viewed?: RowTable) {
    checkSize('rows of a matrix', rows);
    checkSize('columns of a matrix', columns);
    this.backend = backend;
    this.storage = storage;
    this.capacity = rows * columns;
    this.viewed = viewed;
    this.#viewedRows = viewed?.rows ?? 0;
    this.#rows = rows;
    this.#columns = columns;
  }

  get rows(): number {
    return this.#rows;
  }

  get columns(): number {
    return this.#columns;
  }

  /** Also for a view whose table has grown, which may have moved it, or was disposed. */
  get disposed(): boolean {
    const { viewed } = this;
    return this.#disposed || (viewed !== undefined && (viewed.disposed || viewed.rows !== this.#viewedRows));
  }

  /**
   * Gives the matrix another shape over the same storage, at no cost.
   * @throws LinalgError `shape` when rows·columns exceeds the capacity, `disposed` after disposal.
   */
  resize(rows: number, columns: number): this {
    if (this.disposed)
      throw new LinalgError('disposed', `resize: the matrix was disposed (it was ${describeShape(this)})`);
    if (rows !== this.#rows || columns !== this.#columns) {
      checkSize('rows of a matrix', rows);
      checkSize('columns of a matrix', columns);
      if (rows * columns > this.capacity) {
        throw new LinalgError(
          'shape',
          `resize: ${rows}×${columns} needs ${rows * columns} numbers, the matrix was created with room for ${this.capacity}; create a larger one`,
        );
      }
      this.#rows = rows;
      this.#columns = columns;
    }
    return this;
  }

  /** Releases the storage. Idempotent, safe while work is pending; any later use throws. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.backend.release(this);
  }
}

Object.defineProperty(Matrix.prototype, handleBrand, { value: 'matrix' satisfies HandleKind });

/**
 * A table of D rows that can only be gathered from, scattered into and read or written by blocks: nothing with D rows
 * can enter a gemm by mistake, and a backend may keep it in pieces, on the host, or on several devices.
 */
export class RowTable implements Disposable {
  readonly backend: Backend;
  readonly storage: unknown;
  readonly columns: number;
  #rows: number;
  #disposed = false;

  constructor(backend: Backend, rows: number, columns: number, storage: unknown) {
    checkSize('rows of a table', rows);
    checkSize('columns of a table', columns);
    this.backend = backend;
    this.storage = storage;
    this.columns = columns;
    this.#rows = rows;
  }

  get rows(): number {
    return this.#rows;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Called only by the operation `growTable`, after the backend has added the rows. */
  grown(rows: number): void {
    checkSize('rows of a table', rows);
    this.#rows = rows;
  }

  /** Releases the storage. Idempotent, safe while work is pending; any later use throws. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.backend.release(this);
  }
}

Object.defineProperty(RowTable.prototype, handleBrand, { value: 'table' satisfies HandleKind });

/** Row numbers. The host keeps a copy, so that range checks cost O(1) and a device can group them by destination. */
export class Indices implements Disposable {
  readonly backend: Backend;
  readonly storage: unknown;
  readonly capacity: number;
  /** The host's copy; the first `count` are valid. Written only by `writeIndices`. */
  readonly values: Int32Array;
  #count = 0;
  #maximum = -1;
  #disposed = false;

  constructor(backend: Backend, capacity: number, storage: unknown) {
    checkSize('capacity of indices', capacity);
    this.backend = backend;
    this.storage = storage;
    this.capacity = capacity;
    this.values = new Int32Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** The largest index, -1 when there is none. */
  get maximum(): number {
    return this.#maximum;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Called only by the operation `writeIndices`: copies the host's values. */
  take(values: Int32Array, count: number): void {
    let maximum = -1;
    for (let position = 0; position < count; position++) {
      const index = values[position]!;
      if (index < 0) {
        throw new LinalgError('index-out-of-range', `writeIndices: index ${index} at position ${position} is negative`);
      }
      if (index > maximum) maximum = index;
    }
    for (let position = 0; position < count; position++) this.values[position] = values[position]!;
    this.#count = count;
    this.#maximum = maximum;
  }

  /** Releases the storage. Idempotent, safe while work is pending; any later use throws. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.backend.release(this);
  }
}

/** True for a Matrix of any copy of this package. */
export function isMatrix(value: unknown): value is Matrix {
  return hasKind(value, 'matrix');
}

/** True for a RowTable of any copy of this package. */
export function isRowTable(value: unknown): value is RowTable {
  return hasKind(value, 'table');
}

function hasKind(value: unknown, kind: HandleKind): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, handleBrand) === kind;
}

function checkSize(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new LinalgError('shape', `${what} must be a whole number of at least 0, got ${value}`);
  }
}
