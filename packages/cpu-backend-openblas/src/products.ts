/** Matrix products: which function of the BLAS computes which shape. */
import type { FloatArray, GemmSettings } from '@vastmax/linalg-core';
import { noTranspose, rowMajor, transpose, type BlasFunctions } from './native-functions.ts';

/**
 * out = alpha·op(a)·op(b) + beta·out, m×n×k, none of them 0. A product with one row or column is computed by gemv:
 * libraries treat it as a matrix otherwise, which costs four times as much at 1×300×300. ger is not faster for outer
 * products (k = 1).
 */
export function multiply(
  blas: BlasFunctions,
  m: number,
  n: number,
  k: number,
  a: FloatArray,
  b: FloatArray,
  out: FloatArray,
  { transposeA, transposeB, alpha, beta }: GemmSettings,
): void {
  if (m === 1) {
    // outᵀ = op(b)ᵀ·aᵀ.
    if (transposeB) blas.gemv(rowMajor, noTranspose, n, k, alpha, b, k, a, 1, beta, out, 1);
    else blas.gemv(rowMajor, transpose, k, n, alpha, b, n, a, 1, beta, out, 1);
  } else if (n === 1) {
    if (transposeA) blas.gemv(rowMajor, transpose, k, m, alpha, a, m, b, 1, beta, out, 1);
    else blas.gemv(rowMajor, noTranspose, m, k, alpha, a, k, b, 1, beta, out, 1);
  } else {
    blas.gemm(
      rowMajor,
      transposeA ? transpose : noTranspose,
      transposeB ? transpose : noTranspose,
      m,
      n,
      k,
      alpha,
      a,
      transposeA ? m : k,
      b,
      transposeB ? k : n,
      beta,
      out,
      n,
    );
  }
}

const blockSize = 16;

/** out = aᵀ for a n×n, in blocks that stay in the cache; for libraries without omatcopy. */
export function transposeSquare(n: number, a: FloatArray, out: FloatArray): void {
  for (let top = 0; top < n; top += blockSize) {
    const bottom = Math.min(n, top + blockSize);
    for (let left = 0; left < n; left += blockSize) {
      const right = Math.min(n, left + blockSize);
      for (let i = top; i < bottom; i++) {
        for (let j = left, from = i * n + left, to = left * n + i; j < right; j++, from++, to += n) out[to] = a[from]!;
      }
    }
  }
}

/** The upper triangle of a n×n becomes the mirror image of the lower, in blocks that stay in the cache. */
export function mirrorLower(n: number, a: FloatArray): void {
  for (let top = 0; top < n; top += blockSize) {
    const bottom = Math.min(n, top + blockSize);
    for (let left = 0; left <= top; left += blockSize) {
      for (let i = top; i < bottom; i++) {
        const right = Math.min(i, left + blockSize);
        for (let j = left, from = i * n + left, to = left * n + i; j < right; j++, from++, to += n) a[to] = a[from]!;
      }
    }
  }
}
