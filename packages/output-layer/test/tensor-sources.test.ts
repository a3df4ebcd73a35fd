import { createMatrixFrom, createPlainBackend, read, readRows, writeRows } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { findTensor, matrixTensor, restoreMatrix, restoreTable, tableTensor, type ModuleState } from '../src/index.ts';

describe('tensors of a checkpoint', () => {
  const backend = createPlainBackend({ precision: 'f64' });

  it('round-trips a matrix and a table of several blocks, bit for bit', async () => {
    const values = Float64Array.from({ length: 9000 * 2 }, (_, i) => Math.sin(i));
    using matrix = createMatrixFrom(backend, 3, 2, [1, -0, 3, 1e-320, 5, 6]);
    using table = backend.createTable(9000, 2);
    writeRows(values, 0, table);
    const state: ModuleState = { configuration: {}, tensors: [matrixTensor('m', matrix), tableTensor('t', table)] };
    using otherMatrix = backend.createMatrix(3, 2);
    using otherTable = backend.createTable(9000, 2);
    await restoreMatrix(state, 'm', otherMatrix);
    await restoreTable(state, 't', otherTable);
    expect(await read(otherMatrix)).toEqual(Float64Array.from([1, -0, 3, 1e-320, 5, 6]));
    expect(await readRows(otherTable, 0, 9000)).toEqual(values);
  });

  it('reads a range of rows only', async () => {
    using matrix = createMatrixFrom(backend, 3, 2, [1, 2, 3, 4, 5, 6]);
    expect([...(await matrixTensor('m', matrix).read(1, 2))]).toEqual([3, 4, 5, 6]);
  });

  it('says which tensor is missing or of another shape', () => {
    using matrix = backend.createMatrix(3, 2);
    const state: ModuleState = { configuration: {}, tensors: [matrixTensor('m', matrix)] };
    expect(() => findTensor(state, 'x', 1, 1)).toThrow("the checkpoint has no tensor 'x'; it has m");
    expect(() => findTensor(state, 'm', 3, 4)).toThrow("tensor 'm' is 3×2 in the checkpoint, the model's is 3×4");
  });
});
