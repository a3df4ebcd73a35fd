import {
  createMatrixFrom,
  createPlainBackend,
  gatherRows,
  gemm,
  read,
  scaleRows,
  solve,
  symmetricRank2Update,
  writeIndices,
} from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { KernelProfile } from '../../src/measurement/kernel-profile.ts';

describe('KernelProfile', () => {
  it('counts the kernels by group, changes no result, and goes away', async () => {
    const backend = createPlainBackend();
    const original = Reflect.get(backend, 'gemm');
    const a = createMatrixFrom(backend, 2, 3, [1, 2, 3, 4, 5, 6]);
    const square = createMatrixFrom(backend, 3, 3, [1, 0, 0, 0, 2, 0, 0, 0, 3]);
    const out = backend.createMatrix(2, 3);
    const small = backend.createMatrix(2, 2);
    const column = createMatrixFrom(backend, 3, 1, [1, 1, 1]);
    const sums = backend.createMatrix(2, 1);
    const condition = backend.createMatrix(1, 1);
    const table = backend.createTable(5, 3);
    const indices = backend.createIndices(2);
    const solved = backend.createMatrix(3, 1);
    const profile = new KernelProfile(backend, { batch: 2, width: 3 });
    gemm(a, square, out);
    gemm(a, a, small, { transposeB: true });
    gemm(square, square, backend.createMatrix(3, 3));
    gemm(a, column, sums);
    gemm(backend.createMatrix(5, 3), square, backend.createMatrix(5, 3));
    gemm(backend.createMatrix(5, 3), square.resize(3, 2), backend.createMatrix(5, 2));
    square.resize(3, 3);
    solve(square, column, solved, condition);
    scaleRows(a, sums, out);
    symmetricRank2Update(a, a, square);
    writeIndices(Int32Array.of(0, 2), indices);
    gatherRows(table, indices, out);
    gatherRows(square, indices, out.resize(2, 3));
    const calls = Object.fromEntries(profile.groups().map(({ group, calls: count }) => [group, count]));
    profile[Symbol.dispose]();
    expect(calls).toMatchObject({
      'products of m·d·d': 1,
      'products of m·m·d': 1,
      'products of d·d·d': 1,
      'products with a vector': 1,
      'products of c·d·d, c rows of touched classes': 1,
      'products of other shapes': 1,
      'solving the small system': 1,
      'elementwise, reductions, copies': 1,
      'numbers and indices to and from the host': 1,
      'rows of the table V': 1,
      'rows of small matrices': 1,
    });
    expect([...(await read(sums))]).toEqual([6, 15]);
    expect(Reflect.get(backend, 'gemm')).toBe(original);
  });

  it('counts a kernel that calls others once', () => {
    const backend = createPlainBackend();
    using out = backend.createMatrix(1, 1);
    Object.assign(backend, {
      twofold: (): void => {
        backend.fill(1, out);
        backend.fill(2, out);
      },
    });
    using profile = new KernelProfile(backend, { batch: 2, width: 3 });
    const twofold = Reflect.get(backend, 'twofold') as unknown as () => void;
    twofold();
    expect(profile.groups().map(({ group, calls }) => [group, calls])).toEqual([['twofold', 1]]);
    profile.reset();
    expect(profile.groups()).toEqual([]);
  });
});
