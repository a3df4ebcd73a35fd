/**
 * The C functions of a BLAS, declared once for each precision. koffi passes a typed array as the address of its
 * numbers, without a copy (about 0.1 µs a call here); `void *` is declared rather than `float *` so that nothing is
 * ever converted. Names and arguments are those of the CBLAS standard and of LAPACK's Fortran interface, where every
 * argument is an address: integers are passed as two 32-bit words, the second 0, which a library with 64-bit integers
 * reads correctly too.
 */
import type { FloatArray, Precision } from '@vastmax/linalg-core';

/** The part of koffi that is used, so that tests can hide functions. */
export interface NativeLibrary {
  /** Its path, if it is known. */
  readonly path: string;
  /** @throws Error when there is no such function. */
  func(name: string, result: string, parameters: string[]): NativeFunction;
  /** Of the stack on which its functions run; undefined where that is the stack of the thread. */
  readonly stackBytes?: number | undefined;
  /** Where the numbers of an array are, where that can be known. */
  addressOf?(array: ArrayBufferView): number;
}

export type NativeFunction = (...values: (number | ArrayBufferView)[]) => unknown;

/** @throws Error with the message of the system's loader. */
export type LoadNativeLibrary = (file: string) => NativeLibrary;

/** The enumerations of CBLAS. */
export const rowMajor = 101;
export const columnMajor = 102;
export const noTranspose = 111;
export const transpose = 112;
export const upper = 121;
export const lower = 122;
export const nonUnit = 131;
export const unit = 132;
export const rightSide = 142;

/** Functions of one precision. Leading dimensions and increments are in numbers. */
export interface BlasFunctions {
  /** out = alpha·op(a)·op(b) + beta·out, m×n. */
  gemm(
    layout: number,
    transposeA: number,
    transposeB: number,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: FloatArray,
    strideA: number,
    b: FloatArray,
    strideB: number,
    beta: number,
    out: FloatArray,
    strideOut: number,
  ): void;
  /** y = alpha·op(a)·x + beta·y for a rows×columns. */
  gemv(
    layout: number,
    transposeA: number,
    rows: number,
    columns: number,
    alpha: number,
    a: FloatArray,
    stride: number,
    x: FloatArray,
    stepX: number,
    beta: number,
    y: FloatArray,
    stepY: number,
  ): void;
  /** The triangle of out = alpha·op(a)·op(a)ᵀ + beta·out, n×n. */
  syrk(
    layout: number,
    triangle: number,
    transposeA: number,
    n: number,
    k: number,
    alpha: number,
    a: FloatArray,
    strideA: number,
    beta: number,
    out: FloatArray,
    strideOut: number,
  ): void;
  /** x·op(a) = alpha·b (from the right) for a triangle a, b replaced by x. */
  trsm(
    layout: number,
    side: number,
    triangle: number,
    transposeA: number,
    diagonal: number,
    m: number,
    n: number,
    alpha: number,
    a: FloatArray,
    strideA: number,
    b: FloatArray,
    strideB: number,
  ): void;
  /** y = x. */
  copy(length: number, x: FloatArray, stepX: number, y: FloatArray, stepY: number): void;
  /** y += alpha·x. */
  axpy(length: number, alpha: number, x: FloatArray, stepX: number, y: FloatArray, stepY: number): void;
  /** out = alpha·op(a); an extension of OpenBLAS. */
  readonly omatcopy:
    | ((
        layout: number,
        transposeA: number,
        rows: number,
        columns: number,
        alpha: number,
        a: FloatArray,
        strideA: number,
        out: FloatArray,
        strideOut: number,
      ) => void)
    | undefined;
}

/** Functions of one precision. */
export interface LapackFunctions {
  /** Factorises a n×n in place; `info` is positive where a pivot is exactly 0. */
  getrf(
    rows: Int32Array,
    columns: Int32Array,
    a: FloatArray,
    stride: Int32Array,
    pivots: Int32Array,
    info: Int32Array,
  ): void;
  /**
   * An estimate of the reciprocal condition from the factors and the norm of the matrix. `norm` is the character 'I' or
   * '1'.
   */
  gecon(
    norm: Uint8Array,
    n: Int32Array,
    factors: FloatArray,
    stride: Int32Array,
    matrixNorm: FloatArray,
    estimate: FloatArray,
    work: FloatArray,
    integerWork: Int32Array,
    info: Int32Array,
    normLength: number,
  ): void;
}

/** gemm in f32 with numbers as addresses, for threads that share a memory: it is declared again in each of them. */
export type GemmByAddress = (...operands: readonly number[]) => void;

const array = 'void *';
const address = 'size_t';

export const gemmByAddress: { readonly name: string; readonly parameters: string[] } = {
  name: 'cblas_sgemm',
  parameters: [
    ...new Array<string>(6).fill('int'),
    ...['float', address, 'int', address, 'int', 'float', address, 'int'],
  ],
};

/** undefined where the library's loader knows no addresses. */
export function declareGemmByAddress(library: NativeLibrary): GemmByAddress | undefined {
  return library.addressOf === undefined ? undefined : declare(library, gemmByAddress.name, gemmByAddress.parameters);
}

function declare(library: NativeLibrary, name: string, parameters: string[]): NativeFunction | undefined {
  try {
    return library.func(name, 'void', parameters);
  } catch {
    return undefined;
  }
}

/** The functions, or the name of the first that the library lacks. */
export function declareBlas(library: NativeLibrary, precision: Precision): BlasFunctions | string {
  const prefix = precision === 'f32' ? 'cblas_s' : 'cblas_d';
  const real = precision === 'f32' ? 'float' : 'double';
  const required = {
    gemm: ['int', 'int', 'int', 'int', 'int', 'int', real, array, 'int', array, 'int', real, array, 'int'],
    gemv: ['int', 'int', 'int', 'int', real, array, 'int', array, 'int', real, array, 'int'],
    syrk: ['int', 'int', 'int', 'int', 'int', real, array, 'int', real, array, 'int'],
    trsm: ['int', 'int', 'int', 'int', 'int', 'int', 'int', real, array, 'int', array, 'int'],
    copy: ['int', array, 'int', array, 'int'],
    axpy: ['int', real, array, 'int', array, 'int'],
  };
  const found: Record<string, NativeFunction | undefined> = {
    omatcopy: declare(library, `${prefix}omatcopy`, ['int', 'int', 'int', 'int', real, array, 'int', array, 'int']),
  };
  for (const [name, parameters] of Object.entries(required)) {
    found[name] = declare(library, `${prefix}${name}`, parameters);
    if (found[name] === undefined) return `${prefix}${name}`;
  }
  return found as unknown as BlasFunctions;
}

/** undefined where the library has no LAPACK. */
export function declareLapack(library: NativeLibrary, precision: Precision): LapackFunctions | undefined {
  const prefix = precision === 'f32' ? 's' : 'd';
  const getrf = declare(library, `${prefix}getrf_`, new Array<string>(6).fill(array));
  // Fortran compilers append the length of a character argument.
  const gecon = declare(library, `${prefix}gecon_`, [...new Array<string>(9).fill(array), 'size_t']);
  return getrf === undefined || gecon === undefined ? undefined : ({ getrf, gecon } as unknown as LapackFunctions);
}

/** A LAPACK integer argument. */
export function fortranInteger(value: number): Int32Array {
  return Int32Array.of(value, 0);
}
