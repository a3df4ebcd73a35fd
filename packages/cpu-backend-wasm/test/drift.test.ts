/**
 * A factor near 1 that is applied in place at every step (weight decay) must not be rounded to f32 first: 0.9999 as an
 * f32 is off by 1.7·10⁻⁸, always to the same side, which 2,000 steps turn into 3·10⁻⁵. Roundings of the numbers
 * themselves go to both sides.
 */
import {
  affine,
  createMatrixFrom,
  gemm,
  read,
  symmetricRank2Update,
  type Backend,
  type Matrix,
} from '@vastmax/linalg-core';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { describe, expect, it } from 'vitest';

const steps = 2000;
const decay = 0.9999;
const n = 21;

async function driftOf(step: (matrix: Matrix, backend: Backend) => void): Promise<number> {
  const backend = await createWasmBackend();
  const start = Float32Array.from({ length: n * n }, (_, i) => 1 + ((i * 37) % 101) / 101);
  using matrix = createMatrixFrom(backend, n, n, start);
  for (let i = 0; i < steps; i++) step(matrix, backend);
  const got = await read(matrix);
  const ratios = start.map((value, i) => got[i]! / (value * decay ** steps) - 1);
  await backend.dispose();
  return Math.abs(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length);
}

describe('a factor near 1 applied 2,000 times', () => {
  it('does not drift in affine', async () => {
    expect(await driftOf((matrix) => affine(matrix, decay, 0, matrix))).toBeLessThan(2e-6);
  });

  it.each([0, 1, 2, 5])('does not drift as the beta of a product of depth %i', async (depth) => {
    const drift = await driftOf((matrix, backend) => {
      using a = backend.createMatrix(n, depth);
      using b = backend.createMatrix(depth, n);
      gemm(a, b, matrix, { beta: decay });
    });
    expect(drift).toBeLessThan(2e-6);
  });

  it('does not drift as the beta of a product with a vector', async () => {
    const drift = await driftOf((matrix, backend) => {
      using vector = backend.createMatrix(1, 3);
      using b = backend.createMatrix(n * n, 3);
      gemm(vector, b, matrix.resize(1, n * n), { transposeB: true, beta: decay });
    });
    expect(drift).toBeLessThan(2e-6);
  });

  it('does not drift as the beta of a symmetric update', async () => {
    const drift = await driftOf((matrix, backend) => {
      using a = backend.createMatrix(2, n);
      symmetricRank2Update(a, a, matrix, { beta: decay });
    });
    expect(drift).toBeLessThan(2e-6);
  });
});
