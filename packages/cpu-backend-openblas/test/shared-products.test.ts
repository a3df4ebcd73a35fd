/** Products cut into parts against those of one thread: every way to cut one, and what is written nowhere else. */
import {
  createMatrixFrom,
  gemm,
  read,
  symmetricRank2Update,
  viewRows,
  writeRows,
  type Backend,
} from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { createOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createSharedProducts } from '../src/shared-products.ts';
import { nativeLibrary } from './native-library.ts';

const waves = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 7.3 * i));

/** Rows, columns, depth: cut by columns and by rows, with sides that are no multiple of a tile, and not cut at all. */
const sizes = [
  [128, 300, 300],
  [300, 300, 128],
  [1027, 301, 33],
  [33, 1027, 77],
  [7, 40_001, 5],
  [40_001, 7, 5],
  [2, 3, 200_000],
  [30, 30, 30],
] as const;

async function onThreads(
  threads: number,
  compute: (backend: Backend) => Promise<ArrayLike<number>>,
): Promise<ArrayLike<number>> {
  const backend = await createOpenBlasBackend({ threads });
  try {
    return await compute(backend);
  } finally {
    await backend.dispose();
  }
}

/** Within what another order of summation can change. */
function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, depth: number): void {
  expect(got.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) worst = Math.max(worst, Math.abs(got[i]! - expected[i]!));
  expect(worst).toBeLessThan(1e-6 * depth);
}

describe.each([2, 3])('products on %i threads', (threads) => {
  it('equal those of one thread', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    for (const [m, n, k] of sizes) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const compute = (backend: Backend): Promise<ArrayLike<number>> => {
            const [rowsA, columnsA] = transposeA ? [k, m] : [m, k];
            const [rowsB, columnsB] = transposeB ? [n, k] : [k, n];
            const a = createMatrixFrom(backend, rowsA, columnsA, waves(m * k, 1));
            const b = createMatrixFrom(backend, rowsB, columnsB, waves(k * n, 2));
            const out = createMatrixFrom(backend, m, n, waves(m * n, 3));
            gemm(a, b, out, { transposeA, transposeB, alpha: 0.5, beta: -2 });
            return read(out);
          };
          expectClose(await onThreads(threads, compute), await onThreads(1, compute), k + 10);
        }
      }
    }
  });

  it('are symmetric to the last bit where the update is', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    const n = 203;
    for (const transpose of [false, true]) {
      for (const beta of [0, 1, 0.75]) {
        const compute = (backend: Backend): Promise<ArrayLike<number>> => {
          const [rows, columns] = transpose ? [n, 64] : [64, n];
          const a = createMatrixFrom(backend, rows, columns, waves(64 * n, 1));
          const b = createMatrixFrom(backend, rows, columns, waves(64 * n, 2));
          const old = Float32Array.from({ length: n * n }, (_, i) => Math.sin((i % n) + Math.floor(i / n)));
          const out = createMatrixFrom(backend, n, n, beta === 0 ? old.fill(Number.NaN) : old);
          symmetricRank2Update(a, b, out, { transpose, alpha: 0.5, beta });
          return read(out);
        };
        const got = await onThreads(threads, compute);
        expectClose(got, await onThreads(1, compute), 64);
        for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(got[i * n + j]).toBe(got[j * n + i]);
      }
    }
  });

  it('write rows of a table in place, and nothing beside them', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    const [rows, columns, m] = [3000, 65, 64];
    const compute = async (backend: Backend): Promise<ArrayLike<number>> => {
      using table = backend.createTable(rows, columns);
      writeRows(waves(rows * columns, 1), 0, table);
      using view = viewRows(table, 500, 1000);
      if (view === undefined) throw new Error('rows of a small table are one after another');
      gemm(
        createMatrixFrom(backend, m, 1000, waves(m * 1000, 2)),
        createMatrixFrom(backend, m, columns, waves(m * columns, 3)),
        view,
        {
          transposeA: true,
          alpha: -0.1,
          beta: 1,
        },
      );
      const out = new Float32Array(rows * columns);
      await backend.readRows(table, 0, rows, out);
      return out;
    };
    const got = await onThreads(threads, compute);
    expectClose(got, await onThreads(1, compute), m);
    const start = waves(rows * columns, 1);
    expect([...Float32Array.from(got).subarray(0, 500 * columns)]).toEqual([...start.subarray(0, 500 * columns)]);
    expect([...Float32Array.from(got).subarray(1500 * columns)]).toEqual([...start.subarray(1500 * columns)]);
  });
});

describe('createSharedProducts', () => {
  it('leaves products to a library that cannot be called by addresses, or not in a worker', async ({ skip }) => {
    const library = nativeLibrary((reason) => skip(reason));
    expect(await createSharedProducts({ ...library, gemmByAddress: undefined }, 2)).toBeUndefined();
    expect(await createSharedProducts({ ...library, path: '/no/such/library.so' }, 2)).toBeUndefined();
    const shared = await createSharedProducts(library, 2);
    expect(shared?.isWorthSharing(128, 300, 300)).toBe(true);
    expect(shared?.isWorthSharing(1, 10_000, 10_000)).toBe(false);
    expect(shared?.isWorthSharing(10, 10, 10)).toBe(false);
    await shared?.backend.dispose();
  });
});
