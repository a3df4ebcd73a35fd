import { createMatrixFrom, createPlainBackend, read, readRows, writeRows } from '../src/index.ts';
import { describe, expect, it } from 'vitest';
import {
  checkSame,
  checkWholeNumber,
  findTensor,
  isStateError,
  matrixTensor,
  restoreMatrix,
  restoreTable,
  StateError,
  tableTensor,
  type ModuleState,
} from '../src/state.ts';

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

describe('checks of a state', () => {
  it('name the owner, the key and both values', () => {
    checkSame('layer', 'classes', { a: [1] }, { a: [1] });
    expect(() => checkSame('layer', 'classes', 3, 4)).toThrow("layer: 'classes' is 4 in the state, 3 in the layer");
    expect(() => checkSame('layer', 'bias', true, undefined)).toThrow("'bias' is missing in the state, true");
    expect(checkWholeNumber('layer', 'steps', 7)).toBe(7);
    expect(() => checkWholeNumber('layer', 'steps', 0.5)).toThrow("'steps' in the state is 0.5");
  });

  it('throw a StateError, recognised across copies of the package', () => {
    expect(isStateError(new StateError('state-mismatch', 'x'))).toBe(true);
    expect(isStateError(Object.assign(new Error('x'), { name: 'StateError', code: 'state-mismatch' }))).toBe(true);
    expect(isStateError(new Error('x'))).toBe(false);
    expect(new StateError('state-mismatch', 'x')).toMatchObject({ name: 'StateError', code: 'state-mismatch' });
  });
});
