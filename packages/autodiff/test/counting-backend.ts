import { createPlainBackend, type Backend } from '@vastmax/linalg-core';

/** A plain f64 backend that counts the handles it creates and the kernels it runs. */
export function createCountingBackend(): {
  backend: Backend;
  counts: { created: number; gemm: number; kernels: number };
} {
  const backend = createPlainBackend({ precision: 'f64' });
  const counts = { created: 0, gemm: 0, kernels: 0 };
  const { createMatrix, createTable, createIndices, gemm } = backend;
  backend.createMatrix = (rows, columns) => {
    counts.created++;
    return createMatrix.call(backend, rows, columns);
  };
  backend.createTable = (rows, columns) => {
    counts.created++;
    return createTable.call(backend, rows, columns);
  };
  backend.createIndices = (capacity) => {
    counts.created++;
    return createIndices.call(backend, capacity);
  };
  backend.gemm = (a, b, out, settings) => {
    counts.gemm++;
    counts.kernels++;
    gemm.call(backend, a, b, out, settings);
  };
  for (const name of [
    'fill',
    'copy',
    'copyColumns',
    'rowDot',
    'scaleRows',
    'axpy',
    'affine',
    'unary',
    'binary',
    'reduce',
  ] as const) {
    const kernel: (...values: never[]) => void = backend[name];
    Object.assign(backend, {
      [name]: (...values: never[]) => {
        counts.kernels++;
        kernel.call(backend, ...values);
      },
    });
  }
  return { backend, counts };
}
