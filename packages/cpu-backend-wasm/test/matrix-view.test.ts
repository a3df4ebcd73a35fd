import { createMatrixFrom, createPlainBackend, fill, isLinalgError, Matrix, type Backend } from '@vastmax/linalg-core';
import { createWasmBackend, matrixView } from '@vastmax/cpu-backend-wasm';
import { describe, expect, it } from 'vitest';

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isLinalgError(error) ? error.code : String(error);
  }
  return undefined;
}

describe('matrixView', () => {
  it('is the memory itself, in the shape the matrix has now', async () => {
    const backend = await createWasmBackend({});
    const matrix = createMatrixFrom(backend, 2, 3, [1, 2, 3, 4, 5, 6]);
    const view = matrixView(matrix);
    expect([...view]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(matrixView(matrix)).toBe(view);
    fill(7, matrix);
    expect(view[5]).toBe(7);
    expect(matrixView(matrix.resize(1, 2))).toHaveLength(2);
    expect(matrixView(backend.createMatrix(0, 5))).toHaveLength(0);
    await backend.dispose();
  });

  it('is there again after the heap has grown', async () => {
    const backend = await createWasmBackend({});
    const matrix = createMatrixFrom(backend, 1, 2, [1, 2]);
    matrixView(matrix);
    backend.createMatrix(1500, 1500);
    expect([...matrixView(matrix)]).toEqual([1, 2]);
    await backend.dispose();
  });

  it('takes a handle of a backend built upon this one', async () => {
    const backend = await createWasmBackend({});
    const upon = { ...createPlainBackend(), name: 'upon', release: () => undefined } as unknown as Backend;
    const inner = createMatrixFrom(backend, 1, 2, [1, 2]);
    expect([...matrixView(new Matrix(upon, 1, 2, inner.storage))]).toEqual([1, 2]);
    await backend.dispose();
  });

  it('refuses a matrix of another backend and what was disposed', async () => {
    const backend = await createWasmBackend({});
    const plain = createPlainBackend();
    expect(codeOf(() => matrixView(plain.createMatrix(1, 1)))).toBe('backend-mismatch');
    const [disposed, kept] = [backend.createMatrix(1, 1), backend.createMatrix(1, 1)];
    disposed[Symbol.dispose]();
    expect(codeOf(() => matrixView(disposed))).toBe('disposed');
    await backend.dispose();
    expect(codeOf(() => matrixView(kept))).toBe('disposed');
    await plain.dispose();
  });
});
