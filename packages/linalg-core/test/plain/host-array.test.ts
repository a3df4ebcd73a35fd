import { createMatrixFrom, createPlainBackend, hostArray, isLinalgError, Matrix, fill } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isLinalgError(error) ? error.code : String(error);
  }
  return undefined;
}

describe('hostArray', () => {
  it('is the memory itself, in both precisions', () => {
    for (const [precision, Numbers] of [
      ['f32', Float32Array],
      ['f64', Float64Array],
    ] as const) {
      const matrix = createMatrixFrom(createPlainBackend({ precision }), 2, 2, [1, 2, 3, 4]);
      const numbers = hostArray(matrix);
      expect(numbers).toEqual(Numbers.of(1, 2, 3, 4));
      fill(5, matrix.resize(1, 2));
      expect([...numbers]).toEqual([5, 5, 3, 4]);
      expect(hostArray(matrix)).toBe(numbers);
    }
  });

  it('takes a handle of a backend built upon the plain one, and refuses others and what was disposed', () => {
    const backend = createPlainBackend();
    const inner = createMatrixFrom(backend, 1, 2, [1, 2]);
    expect([...hostArray(new Matrix(createPlainBackend(), 1, 2, inner.storage))]).toEqual([1, 2]);
    expect(codeOf(() => hostArray(new Matrix(backend, 1, 2, { offset: 64 })))).toBe('backend-mismatch');
    inner[Symbol.dispose]();
    expect(codeOf(() => hostArray(inner))).toBe('disposed');
  });
});
