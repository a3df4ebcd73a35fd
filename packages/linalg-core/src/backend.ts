/**
 * The kernels: what a backend implements. They are few, unchecked (the operations of this package have checked shapes,
 * lifetime, aliasing and ownership before a kernel is called), synchronous to call, executed as if in call order, and
 * write into `out`. A backend implements these and nothing else; docs/writing-a-backend.md walks through one.
 */
import type { Indices, Matrix, RowTable } from './handles.ts';

export const backendBrand: unique symbol = Symbol.for('vastmax.backend') as never;

/** How numbers are stored and returned. Arithmetic may be wider. */
export type Precision = 'f32' | 'f64';

/** What crosses the host boundary: Float32Array on an f32 backend, Float64Array on an f64 one. */
export type FloatArray = Float32Array | Float64Array;

/**
 * Elementwise functions of one operand. `gelu` is the exact x·Φ(x) with the error function, `softplus` is log(1+eˣ)
 * without overflow, `step` is 1 where x > 0 and else 0 (NaN stays), `geluDerivative` is Φ(x) + x·φ(x).
 */
export type UnaryOperation =
  | 'abs'
  | 'exp'
  | 'gelu'
  | 'geluDerivative'
  | 'log'
  | 'reciprocal'
  | 'relu'
  | 'sigmoid'
  | 'softplus'
  | 'sqrt'
  | 'square'
  | 'step'
  | 'tanh';

/** Elementwise functions of two operands; the second is broadcast when it is 1×n, m×1 or 1×1. */
export type BinaryOperation = 'add' | 'subtract' | 'multiply' | 'divide';

/** What a reduction combines with. `sumSquares` is Σx². */
export type ReduceOperation = 'sum' | 'sumSquares' | 'maximum';

export interface GemmSettings {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  /** 0 never reads `out`: NaN in it does not survive. */
  readonly beta: number;
}

export interface MemoryReport {
  readonly matrices: number;
  readonly tables: number;
  readonly indices: number;
  /** Of the live handles, in bytes; a backend's own scratch is not counted. */
  readonly bytes: number;
}

/** Why a backend can or cannot be used here, in words for a person. */
export type ProbeResult =
  { readonly available: true; readonly detail: string } | { readonly available: false; readonly reason: string };

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
  /**
   * Make room for `rows` ≥ table.rows; new rows are zero, old ones stay. O(new rows), plus at most a bounded piece
   * copied.
   */
  growTable(table: RowTable, rows: number): void;
  /** Called once by a handle's disposal; work in flight that uses it still completes. */
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
   * The same at once. Optional: for backends whose numbers are in host memory; it completes pending work that the
   * matrix depends on. Reason: synchronous calls that need a few numbers of another process.
   */
  readSync?(source: Matrix, out: FloatArray): void;
  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void>;
  /**
   * Resolves when everything called so far is done; rejects with `device-lost` or `out-of-memory` when it cannot be.
   */
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
  /** out_ij = factors_i · source_ij, factors m×1. In place is legal. */
  scaleRows(source: Matrix, factors: Matrix, out: Matrix): void;
  /** out += alpha·x. */
  axpy(alpha: number, x: Matrix, out: Matrix): void;
  /** out = scale·x + shift. In place is legal. Reason: constants in a user's loss, weight decay. */
  affine(x: Matrix, scale: number, shift: number, out: Matrix): void;
  unary(operation: UnaryOperation, x: Matrix, out: Matrix): void;
  binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void;
  /**
   * A dimension in which out is 1 is reduced: out is m×1, 1×n, 1×1, or x's own shape. `maximum` of nothing is
   * -Infinity.
   */
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
   * 1/(‖a‖₁‖a⁻¹‖₁), 0 when a is singular: then `out` holds anything. Near the identity, ‖I − a‖₁ ≤ 1/8,
   * what the condition is above 1 is at least half the true one: layers multiply the conditions of many steps.
   */
  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void;

  // Fused, optional: each equals a composition of the above, which is used where a backend has none.
  /** out = alpha·(aᵀb + bᵀa) + beta·out, or alpha·(abᵀ + baᵀ) + beta·out when `transpose`. */
  symmetricRank2Update?(a: Matrix, b: Matrix, out: Matrix, settings: RankUpdateSettings): void;

  // Without waiting, optional: for backends on which to look at a number is to wait for the device.
  /**
   * From here on kernels (dense, rows, small systems, fused) leave what they would write as it is, unless the one
   * number of `flag` is above 0 as of this call; with undefined they write again. Storage is not concerned. So a device
   * can refuse a step that the host hears of later.
   */
  guard?(flag: Matrix | undefined): void;
  /**
   * Begin with what was called so far, where calls are only recorded. Nothing depends on it but when results are there.
   */
  submit?(): void;
}

export interface RankUpdateSettings {
  /** false: a and b are k×n and out = aᵀb + bᵀa; true: a and b are n×k and out = abᵀ + baᵀ. */
  readonly transpose: boolean;
  readonly alpha: number;
  readonly beta: number;
}

/** True for a backend of any package; the brand is shared through `Symbol.for`. */
export function isBackend(value: unknown): value is Backend {
  return typeof value === 'object' && value !== null && backendBrand in value;
}
