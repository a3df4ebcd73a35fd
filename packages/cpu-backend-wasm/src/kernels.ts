/** The compiled kernels as functions over byte offsets, and the numbers that both sides must agree on. */
import { LinalgError, type BinaryOperation, type UnaryOperation } from '@vastmax/linalg-core';
import { kernelBinary } from './generated/kernel-binary.ts';
import { decodeBase64, findWebAssembly, type WasmMemory, type WasmModule, type WebAssemblyHost } from './web-assembly.ts';

/** The exports of assembly/index.ts. Offsets in bytes, sizes and strides in numbers, transposes 0 or 1. */
export interface Kernels {
  gemm(m: number, n: number, k: number, a: number, b: number, out: number, transposeA: number, transposeB: number, alpha: number, beta: number, scratch: number): void;
  mirrorAdd(product: number, out: number, n: number, alpha: number, beta: number): void;
  fill(value: number, out: number, length: number): void;
  copyColumns(source: number, sourceStride: number, out: number, outStride: number, rows: number, count: number): void;
  addDiagonal(value: number, out: number, n: number): void;
  axpy(alpha: number, x: number, out: number, length: number): void;
  affine(x: number, scale: number, shift: number, out: number, length: number): void;
  unary(operation: number, x: number, out: number, length: number): void;
  binary(operation: number, a: number, b: number, out: number, rows: number, columns: number, rowStride: number, columnStride: number, splat: number): void;
  rowDot(a: number, b: number, out: number, rows: number, columns: number): void;
  reduceRows(operation: number, x: number, rows: number, columns: number, out: number): void;
  reduceColumns(operation: number, x: number, rows: number, columns: number, out: number): void;
  gatherRows(source: number, indices: number, count: number, columns: number, out: number): void;
  scatterAddRows(source: number, indices: number, count: number, columns: number, scale: number, destination: number): void;
  scatterRows(source: number, indices: number, count: number, columns: number, destination: number): void;
  solve(n: number, columns: number, a: number, b: number, out: number, scratch: number): number;
}

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

/** The packed panels of assembly/gemm.ts. */
export const gemmScratchBytes: number = (128 + 512) * 320 * 4;

/** Of assembly/solve.ts: the factors, four right-hand sides, two vectors and the pivots. */
export function solveScratchBytes(n: number): number {
  const padded = Math.ceil(n / 4) * 4;
  return 8 * (n * padded + 4 * n + 3 * (n + 2));
}

let compiled: Promise<WasmModule> | undefined;

/** True when the engine can run the kernels; false usually means no SIMD. */
export function canRunKernels(webAssembly: WebAssemblyHost): boolean {
  return webAssembly.validate(decodeBase64(kernelBinary));
}

/** An instance over `memory`; the module is compiled once. @throws LinalgError `device-lost` where WebAssembly is missing or refused. */
export async function instantiateKernels(memory: WasmMemory): Promise<Kernels> {
  const webAssembly = requireWebAssembly();
  try {
    compiled ??= webAssembly.compile(decodeBase64(kernelBinary));
    const { exports } = await webAssembly.instantiate(await compiled, { env: { memory } });
    return exports as Kernels;
  } catch (cause) {
    compiled = undefined;
    throw new LinalgError(
      'device-lost',
      `createWasmBackend: the engine refused the kernels: ${cause instanceof Error ? cause.message : String(cause)}; they need 128-bit SIMD, ` +
        "and on a page with a Content-Security-Policy the source 'wasm-unsafe-eval'",
      { cause },
    );
  }
}

export function requireWebAssembly(): WebAssemblyHost {
  const webAssembly = findWebAssembly();
  if (webAssembly !== undefined) return webAssembly;
  throw new LinalgError('device-lost', 'createWasmBackend: this engine has no WebAssembly; use createPlainBackend of @vastmax/linalg-core');
}
