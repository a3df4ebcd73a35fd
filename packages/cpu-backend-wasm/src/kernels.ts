/** The compiled kernels as functions over byte offsets, and the constants shared with assembly/. */
import type { BinaryOperation, MomentUpdate, UnaryOperation } from '@vastmax/linalg-core';
import { describeRefusal, requireWebAssembly } from './kernel-variants.ts';
import type { WasmMemory, WasmModule } from './web-assembly.ts';

/** The exports of assembly/index.ts. Offsets in bytes, sizes and strides in numbers, transposes 0 or 1. */
export interface Kernels {
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    out: number,
    transposeA: number,
    transposeB: number,
    alpha: number,
    beta: number,
    scratch: number,
  ): void;
  mirrorAdd(product: number, out: number, n: number, alpha: number, beta: number): void;
  fill(value: number, out: number, length: number): void;
  copyColumns(source: number, sourceStride: number, out: number, outStride: number, rows: number, count: number): void;
  addDiagonal(value: number, out: number, n: number): void;
  axpy(alpha: number, x: number, out: number, length: number): void;
  affine(x: number, scale: number, shift: number, out: number, length: number): void;
  unary(operation: number, x: number, out: number, length: number): void;
  binary(
    operation: number,
    a: number,
    b: number,
    out: number,
    rows: number,
    columns: number,
    rowStride: number,
    columnStride: number,
    splats: number,
  ): void;
  rowDot(a: number, b: number, out: number, rows: number, columns: number): void;
  reduceRows(operation: number, x: number, rows: number, columns: number, out: number): void;
  reduceColumns(operation: number, x: number, rows: number, columns: number, out: number): void;
  /** `rows` and `shift` are a RowPlace's. */
  gatherRows(rows: number, shift: number, indices: number, count: number, columns: number, out: number): void;
  addRows(
    source: number,
    sourceShift: number,
    sourceIndices: number,
    values: number,
    scale: number,
    count: number,
    columns: number,
    out: number,
    outShift: number,
    outIndices: number,
  ): void;
  gatheredRowDot(
    a: number,
    aShift: number,
    aIndices: number,
    b: number,
    bShift: number,
    bIndices: number,
    count: number,
    columns: number,
    out: number,
  ): void;
  exponentiateRanges(
    table: number,
    shift: number,
    rows: number,
    starts: number,
    source: number,
    sourceIndices: number,
    count: number,
    n: number,
    columns: number,
    out: number,
    maxima: number,
    sums: number,
  ): void;
  combineRanges(
    table: number,
    shift: number,
    rows: number,
    starts: number,
    factors: number,
    count: number,
    n: number,
    columns: number,
    out: number,
  ): void;
  updateRanges(
    factors: number,
    source: number,
    sourceIndices: number,
    starts: number,
    count: number,
    n: number,
    columns: number,
    scale: number,
    table: number,
    shift: number,
    rows: number,
  ): void;
  fillNormalRows(
    table: number,
    shift: number,
    first: number,
    count: number,
    width: number,
    columns: number,
    firstKey: number,
    secondKey: number,
    scale: number,
  ): void;
  quantizeRows(
    source: number,
    sourceShift: number,
    first: number,
    count: number,
    columns: number,
    codes: number,
    codesShift: number,
    codesBytes: number,
    factors: number,
    factorsShift: number,
  ): void;
  quantizedProducts(
    codes: number,
    codesShift: number,
    codesBytes: number,
    factors: number,
    factorsShift: number,
    first: number,
    count: number,
    query: number,
    alpha: number,
    beta: number,
    out: number,
    scratch: number,
  ): void;
  scatterRows(source: number, indices: number, count: number, columns: number, rows: number, shift: number): void;
  updateRows(
    rule: number,
    gradient: number,
    indices: number,
    count: number,
    columns: number,
    shift: number,
    rows: number,
    first: number,
    second: number,
    rate: number,
    decay: number,
    secondDecay: number,
    correction: number,
    epsilon: number,
  ): void;
  leastSquaresRows(
    table: number,
    shift: number,
    offsets: number,
    indices: number,
    weights: number,
    base: number,
    shifts: number,
    lists: number,
    columns: number,
    out: number,
    longest: number,
    scratch: number,
  ): void;
  /** Chunks of HostWork. */
  runHostWork(chunks: number): void;
  exponentiateRows(x: number, rows: number, columns: number, maxima: number, sums: number): void;
  solve(n: number, columns: number, a: number, b: number, out: number, scratch: number): number;
}

/** As an offset of indices or values: there are none. */
export const none = 0;

/** As numbered in assembly/unary.ts. */
export const unaryNumbers: Readonly<Record<UnaryOperation, number>> = {
  abs: 0,
  exp: 1,
  gelu: 2,
  geluDerivative: 3,
  log: 4,
  reciprocal: 5,
  relu: 6,
  sigmoid: 7,
  softplus: 8,
  sqrt: 9,
  square: 10,
  step: 11,
  tanh: 12,
};

/** As numbered in assembly/binary.ts. */
export const binaryNumbers: Readonly<Record<BinaryOperation, number>> = { add: 0, subtract: 1, multiply: 2, divide: 3 };

/** As numbered in assembly/reduce.ts. */
export const reduceNumbers = { sum: 0, sumSquares: 1, maximum: 2 } as const;

/** As numbered in assembly/update-rows.ts. */
export const updateNumbers: Readonly<Record<MomentUpdate['rule'], number>> = { momentum: 0, adagrad: 1, adam: 2 };

/** The packed panels of assembly/gemm.ts. */
export const gemmScratchBytes: number = (512 + 512) * 320 * 4;

/** Scratch of assembly/solve.ts: the factors, two vectors and the pivots, and for each thread four right-hand sides. */
export function solveScratchBytes(n: number, threads: number): number {
  const padded = Math.ceil(n / 4) * 4;
  return 8 * (n * padded + 3 * (n + 2) + 4 * n * threads);
}

/** Scratch of assembly/least-squares-rows.ts: rows of whole vectors and one more, and four rows that are only read. */
export function leastSquaresBytes(longest: number, columns: number, threads: number): number {
  const stride = (n: number): number => 16 * (Math.ceil(n / 4) + 1);
  const bytes = (longest + 4) * (stride(columns) + stride(longest)) + 2 * stride(longest) + stride(columns);
  return threads * Math.ceil(bytes / 64) * 64;
}

/** Scratch of assembly/binary.ts: a vector for each thread, in a cache line of its own. */
export function splatBytes(threads: number): number {
  return 64 * threads;
}

/**
 * An instance over `memory`, with a clock for waiting on workers.
 * @param call computes a chunk of HostWork
 * @throws LinalgError `device-lost` where the engine rejects the module.
 */
export async function instantiateKernels(
  module: WasmModule,
  memory: WasmMemory,
  call: (chunk: number) => void = () => undefined,
): Promise<Kernels> {
  const { performance } = globalThis as unknown as { readonly performance: { now(): number } };
  try {
    const { exports } = await requireWebAssembly().instantiate(module, {
      env: { memory },
      clock: { now: () => performance.now() },
      host: { call },
    });
    return exports as Kernels;
  } catch (cause) {
    throw describeRefusal(cause);
  }
}
