/** What a backend and its kernels are told and answer: precisions, functions, settings and reports. */

/** How numbers are stored and returned. Arithmetic may be wider. */
export type Precision = 'f32' | 'f64';

/** The folds of both typed arrays, as one signature: those of a union cannot be called. */
interface NumberFolds {
  reduce(combine: (previous: number, current: number, index: number) => number): number;
  reduce<T>(combine: (previous: T, current: number, index: number) => T, initial: T): T;
  reduceRight(combine: (previous: number, current: number, index: number) => number): number;
  reduceRight<T>(combine: (previous: T, current: number, index: number) => T, initial: T): T;
}

/** What crosses the host boundary: Float32Array on an f32 backend, Float64Array on an f64 one. */
export type FloatArray = (Float32Array | Float64Array) & NumberFolds;

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

/** The options of `gemm`, all given. */
export interface GemmSettings {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  /** 0 never reads `out`: NaN in it does not survive. */
  readonly beta: number;
}

/** Handles that are alive, and bytes that they take. */
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

/** The options of `symmetricRank2Update`, all given. */
export interface RankUpdateSettings {
  /** false: a and b are k×n and out = aᵀb + bᵀa; true: a and b are n×k and out = abᵀ + baᵀ. */
  readonly transpose: boolean;
  readonly alpha: number;
  readonly beta: number;
}

/**
 * How a weight w changes by its gradient g and its moments, by one of the rules that keep moments. Momentum: v ← μv +
 * g, w ← w − ηv. Adagrad: G ← G + g², w ← w − ηg/(√G + ε). Adam: m ← β₁m + (1−β₁)g, s ← β₂s + (1−β₂)g², w ← w −
 * η·m/(1−β₁ᵗ)/(√(s/(1−β₂ᵗ)) + ε).
 */
export type MomentUpdate =
  | { readonly rule: 'momentum'; readonly learningRate: number; readonly momentum: number }
  | { readonly rule: 'adagrad'; readonly learningRate: number; readonly epsilon: number }
  | {
      readonly rule: 'adam';
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      /** t, from 1. */
      readonly step: number;
    };

/** Factors of `quantizedProducts`. */
export interface QuantizedProductSettings {
  /** Factor of the products. */
  readonly alpha: number;
  /** Factor of the distances. */
  readonly beta: number;
}
