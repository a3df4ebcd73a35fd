import {
  createMatrixFrom,
  createPlainBackend,
  fill,
  gatherRows,
  gemm,
  isLinalgError,
  read,
  solve,
  symmetricRank2Update,
  writeIndices,
  writeRows,
  type Backend,
  type Matrix,
} from '@vastmax/linalg-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWasmBackend, type WasmBackendOptions } from '@vastmax/cpu-backend-wasm';

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 2 ** 30 - 1;
  });
}

describe('createWasmBackend', () => {
  it('is f32 and refuses another precision', async () => {
    await using backend = asDisposable(await createWasmBackend({ threads: 1 }));
    expect([backend.value.name, backend.value.precision]).toEqual(['wasm f32, 1 thread', 'f32']);
    const wrong = { precision: 'f64' } as unknown as WasmBackendOptions;
    await expect(createWasmBackend(wrong)).rejects.toThrow("createWasmBackend: precision must be 'f32', got 'f64'");
  });

  it('refuses a matrix beyond the heap, names its bytes and goes on', async () => {
    await using backend = asDisposable(await createWasmBackend());
    const before = backend.value.memory();
    const error = caught(() => backend.value.createMatrix(40_000, 40_000));
    expect(isLinalgError(error) && error.code).toBe('out-of-memory');
    expect(String(error)).toContain('40000×40000 needs 6400000000 bytes');
    expect(backend.value.memory()).toEqual(before);
    using small = backend.value.createMatrix(2, 2);
    fill(3, small);
    expect([...(await read(small))]).toEqual([3, 3, 3, 3]);
  });

  it('keeps the numbers of old matrices while the heap grows', async () => {
    await using backend = asDisposable(await createWasmBackend());
    using first = createMatrixFrom(backend.value, 2, 2, [1, 2, 3, 4]);
    using large = backend.value.createMatrix(1500, 1500);
    fill(1, large);
    using product = backend.value.createMatrix(2, 2);
    gemm(first, first, product);
    expect([...(await read(product))]).toEqual([7, 10, 15, 22]);
  });

  it('lets handles be disposed after the backend, and stays disposed', async () => {
    const backend = await createWasmBackend();
    const matrix = backend.createMatrix(2, 2);
    const indices = backend.createIndices(3);
    await backend.dispose();
    await backend.dispose();
    matrix[Symbol.dispose]();
    indices[Symbol.dispose]();
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
    const error = caught(() => backend.createMatrix(1, 1));
    expect(isLinalgError(error) && error.code).toBe('disposed');
  });

  it('keeps tables outside the heap', async () => {
    await using backend = asDisposable(await createWasmBackend());
    // 5 GiB would not fit the heap; one row of each piece is touched, and the engine backs no other page.
    using table = backend.value.createTable(5 * 2 ** 20, 256);
    const last = 5 * 2 ** 20 - 1;
    writeRows(numbers(256, 7), last, table);
    using list = backend.value.createIndices(1);
    writeIndices(Int32Array.of(last), list);
    using out = backend.value.createMatrix(1, 256);
    gatherRows(table, list, out);
    expect(await read(out)).toEqual(numbers(256, 7));
  });
});

describe('products beyond one block', () => {
  const sizes = fc.record({
    m: fc.integer({ min: 1, max: 300 }),
    n: fc.integer({ min: 1, max: 1100 }),
    k: fc.integer({ min: 1, max: 700 }),
  });

  it('agree with the plain backend in f64', async () => {
    await using wasm = asDisposable(await createWasmBackend());
    await using plain = asDisposable(createPlainBackend({ precision: 'f64' }));
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 999 }),
        async ({ m, n, k }, transposeA, transposeB, seed) => {
          const [a, b] = [numbers(m * k, seed), numbers(k * n, seed + 1)];
          const product = async (backend: Backend): Promise<ArrayLike<number>> => {
            using left = createMatrixFrom(backend, transposeA ? k : m, transposeA ? m : k, a);
            using right = createMatrixFrom(backend, transposeB ? n : k, transposeB ? k : n, b);
            using out = backend.createMatrix(m, n);
            gemm(left, right, out, { transposeA, transposeB, alpha: 0.5 });
            return await read(out);
          };
          expect(largestDifference(await product(wasm.value), await product(plain.value))).toBeLessThan(k * 2 ** -23);
        },
      ),
      {
        numRuns: 12,
        examples: [
          [{ m: 130, n: 530, k: 650 }, false, false, 1],
          [{ m: 257, n: 1025, k: 321 }, true, true, 2],
        ],
      },
    );
  });

  it('give an update that is symmetric to the last bit', async () => {
    await using wasm = asDisposable(await createWasmBackend());
    for (const n of [1, 4, 7, 64, 67]) {
      using a = createMatrixFrom(wasm.value, 33, n, numbers(33 * n, 3));
      using b = createMatrixFrom(wasm.value, 33, n, numbers(33 * n, 4));
      using out = wasm.value.createMatrix(n, n);
      symmetricRank2Update(a, b, out, { alpha: -0.3 });
      const values = await read(out);
      for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(values[i * n + j]).toBe(values[j * n + i]);
    }
  });
});

describe('solve', () => {
  it('has the condition estimate of the plain backend, and its solution', async () => {
    await using wasm = asDisposable(await createWasmBackend());
    await using plain = asDisposable(createPlainBackend());
    for (const [n, columns] of [
      [9, 5],
      [16, 1],
      [130, 7],
      [201, 203],
    ] as const) {
      const run = async (backend: Backend): Promise<[solution: ArrayLike<number>, estimate: ArrayLike<number>]> => {
        using a = createMatrixFrom(backend, n, n, numbers(n * n, n));
        using b = createMatrixFrom(backend, n, columns, numbers(n * columns, n + 1));
        using out: Matrix = backend.createMatrix(n, columns);
        using estimate = backend.createMatrix(1, 1);
        solve(a, b, out, estimate);
        return [await read(out), await read(estimate)];
      };
      const [solution, estimate] = await run(wasm.value);
      const [expected, expectedEstimate] = await run(plain.value);
      expect(largestDifference(estimate, expectedEstimate)).toBeLessThan(1e-6);
      expect(largestDifference(solution, expected)).toBeLessThan(1e-4 * largest(expected));
    }
  });
});

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < b.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

function asDisposable(value: Backend): AsyncDisposable & { readonly value: Backend } {
  return { value, [Symbol.asyncDispose]: () => value.dispose() };
}
