/**
 * Products on the threads of the inner backend: a product is cut into parts, and each thread calls the library for one
 * part after another, on the same memory. So row kernels and products share the cores. With threads of its own the
 * library's workers and the inner backend's took them from each other, and either set alone left a core idle while the
 * other half of a step was computed. Parts are taken as the inner backend's chunks are: who is free takes the next.
 */
import { createRequire } from 'node:module';
import { createHostedThreads, type HostedThreads } from '@vastmax/cpu-backend-wasm';
import type { GemmSettings } from '@vastmax/linalg-core';
import type { BlasLibrary } from './blas-library.ts';
import { gemmByAddress, noTranspose, rowMajor, transpose, type GemmByAddress } from './native-functions.ts';

/** Numbers of one call among `calls`: those of gemm after its layout. */
const numbersPerCall = 16;
const maxCalls = 64;
/** Multiply-adds from which on a product is cut: it takes one thread some 20 µs. */
const minSharedWork = 1_000_000;
/** Of one part at most, some milliseconds: a thread that the system has put aside delays the others by no more. */
const maxWorkPerCall = 200_000_000;
/** The tiles of common libraries are multiples of these: of rows, and of columns. */
const rowUnit = 4;
const columnUnit = 8;

/** What a worker runs: the same as `callOf`, in a thread where nothing is imported. */
const workerSource = `const gemm = require(data.koffi).load(data.library).func('${gemmByAddress.name}', 'void', data.parameters);
return (chunk) => {
  const c = chunk * ${numbersPerCall};
  gemm(${rowMajor}, calls[c], calls[c + 1], calls[c + 2], calls[c + 3], calls[c + 4], calls[c + 5], calls[c + 6],
    calls[c + 7], calls[c + 8], calls[c + 9], calls[c + 10], calls[c + 11], calls[c + 12]);
};`;

function callOf(gemm: GemmByAddress, calls: Float64Array): (chunk: number) => void {
  return (chunk) => {
    const c = chunk * numbersPerCall;
    gemm(
      rowMajor,
      calls[c]!,
      calls[c + 1]!,
      calls[c + 2]!,
      calls[c + 3]!,
      calls[c + 4]!,
      calls[c + 5]!,
      calls[c + 6]!,
      calls[c + 7]!,
      calls[c + 8]!,
      calls[c + 9]!,
      calls[c + 10]!,
      calls[c + 11]!,
      calls[c + 12]!,
    );
  };
}

export class SharedProducts {
  readonly threads: number;
  readonly backend: HostedThreads['backend'];
  readonly #calls: Float64Array;
  /** The address of the memory. */
  readonly #base: number;

  constructor({ backend, calls }: HostedThreads, threads: number, base: number) {
    this.threads = threads;
    this.backend = backend;
    this.#calls = calls;
    this.#base = base;
  }

  /** Whether a product is long enough to be cut. Those with a vector are bound by memory. */
  isWorthSharing(m: number, n: number, k: number): boolean {
    return m > 1 && n > 1 && m * n * k >= minSharedWork;
  }

  /**
   * out = alpha·op(a)·op(b) + beta·out, m×n×k, none of them 0. Cut along the longer side of `out`: what is read for
   * every part is then the smaller operand.
   * @param a, b, out offsets in the memory of the inner backend, in bytes.
   */
  multiply(
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    out: number,
    { transposeA, transposeB, alpha, beta }: GemmSettings,
  ): void {
    const calls = this.#calls;
    const base = this.#base;
    const strideA = transposeA ? m : k;
    const strideB = transposeB ? k : n;
    const isCutByRows = m > n;
    const [length, unit] = isCutByRows ? [m, rowUnit] : [n, columnUnit];
    const stepA = isCutByRows ? 4 * (transposeA ? 1 : strideA) : 0;
    const stepB = isCutByRows ? 0 : 4 * (transposeB ? strideB : 1);
    const stepOut = isCutByRows ? 4 * n : 4;
    const rounds = Math.ceil((m * n * k) / (maxWorkPerCall * this.threads));
    const parts = Math.min(this.threads * rounds, Math.ceil(length / unit));
    let from = 0;
    for (let part = 0, call = 0; part < parts; part++) {
      const to = part === parts - 1 ? length : unit * Math.round((length * (part + 1)) / parts / unit);
      const c = call * numbersPerCall;
      calls[c] = transposeA ? transpose : noTranspose;
      calls[c + 1] = transposeB ? transpose : noTranspose;
      calls[c + 2] = isCutByRows ? to - from : m;
      calls[c + 3] = isCutByRows ? n : to - from;
      calls[c + 4] = k;
      calls[c + 5] = alpha;
      calls[c + 6] = base + a + from * stepA;
      calls[c + 7] = strideA;
      calls[c + 8] = base + b + from * stepB;
      calls[c + 9] = strideB;
      calls[c + 10] = beta;
      calls[c + 11] = base + out + from * stepOut;
      calls[c + 12] = n;
      from = to;
      if (++call === maxCalls || part === parts - 1) {
        this.backend.runHostWork(call);
        call = 0;
      }
    }
  }
}

/** Undefined where there are no threads, or not so many, or the library cannot be called by addresses. */
export async function createSharedProducts(
  { gemmByAddress: gemm, addressOf, path }: BlasLibrary,
  threads: number,
): Promise<SharedProducts | undefined> {
  if (gemm === undefined || addressOf === undefined) return undefined;
  try {
    const koffi = createRequire(import.meta.url).resolve('koffi');
    const data = { koffi, library: path, parameters: gemmByAddress.parameters };
    const hosted = await createHostedThreads(threads, {
      source: workerSource,
      data,
      length: maxCalls * numbersPerCall,
      createCall: (calls) => callOf(gemm, calls),
    });
    return hosted === undefined ? undefined : new SharedProducts(hosted, threads, addressOf(hosted.memory));
  } catch {
    // A worker that cannot load the library, or no address space: the library's own threads do it.
    return undefined;
  }
}
