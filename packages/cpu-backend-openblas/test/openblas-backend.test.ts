import { createWasmBackend, matrixView } from '@vastmax/cpu-backend-wasm';
import {
  createMatrixFrom,
  createPlainBackend,
  fill,
  gemm,
  hostArray,
  read,
  solve,
  symmetricRank2Update,
  type Backend,
  type Precision,
} from '@vastmax/linalg-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { openBlasLibrary, type BlasLibrary } from '../src/blas-library.ts';
import { composeBackend } from '../src/openblas-backend.ts';
import { loaderWithout, nativeLibrary } from './native-library.ts';

function numbers(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.fround(Math.sin(1 + seed + 7.3 * i) * ((i % 5) + 1) * 0.2));
}

function asDisposable(value: Backend): AsyncDisposable & { readonly value: Backend } {
  return { value, [Symbol.asyncDispose]: () => value.dispose() };
}

async function composed(precision: Precision, library: BlasLibrary): Promise<Backend> {
  const inner =
    precision === 'f32'
      ? { backend: await createWasmBackend(), view: matrixView }
      : { backend: createPlainBackend({ precision }), view: hostArray };
  return composeBackend(inner, library, library.threads === undefined ? undefined : 1);
}

/** The machine's library, or another file, without the functions of these names. */
async function libraryWithout(file: string, ...hidden: readonly RegExp[]): Promise<BlasLibrary> {
  const opened = openBlasLibrary(await loaderWithout(...hidden), file);
  if ('problem' in opened) throw new Error(opened.problem);
  return opened;
}

interface System {
  readonly n: number;
  readonly columns: number;
  /** a is this times the identity, plus random numbers. */
  readonly diagonal: number;
  readonly scale: number;
}

async function solutionOn(
  backend: Backend,
  { n, columns, diagonal, scale }: System,
): Promise<{ readonly x: ArrayLike<number>; readonly estimate: number }> {
  const values = numbers(n * n, n).map((value, at) => scale * value + (at % (n + 1) === 0 ? diagonal : 0));
  using a = createMatrixFrom(backend, n, n, values);
  using b = createMatrixFrom(backend, n, columns, numbers(n * columns, n + 1));
  using out = backend.createMatrix(n, columns);
  using estimate = backend.createMatrix(1, 1);
  fill(Number.NaN, out);
  solve(a, b, out, estimate);
  return { x: await read(out), estimate: (await read(estimate))[0]! };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < b.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

const systems: readonly System[] = [
  { n: 1, columns: 1, diagonal: 2, scale: 0 },
  { n: 9, columns: 5, diagonal: 0, scale: 1 },
  { n: 33, columns: 1, diagonal: 1, scale: 0.02 },
  { n: 64, columns: 31, diagonal: 1, scale: 0.01 },
  { n: 65, columns: 70, diagonal: 3, scale: 1 },
];

describe('on the numbers themselves', () => {
  it('multiplies before and after the heap has grown', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    await using backend = asDisposable(await createOpenBlasBackend());
    using a = createMatrixFrom(backend.value, 2, 2, [1, 2, 3, 4]);
    using out = backend.value.createMatrix(2, 2);
    gemm(a, a, out);
    expect([...(await read(out))]).toEqual([7, 10, 15, 22]);
    for (const size of [300, 1500, 2500]) {
      using large = backend.value.createMatrix(size, size);
      fill(1, large);
      gemm(a, a, out, { alpha: 2 });
      expect([...(await read(out))]).toEqual([14, 20, 30, 44]);
      using row = createMatrixFrom(backend.value, 1, size, new Float32Array(size).fill(0.5));
      using sums = backend.value.createMatrix(1, size);
      gemm(row, large, sums);
      expect([...(await read(sums))].every((sum) => sum === size / 2)).toBe(true);
    }
  });

  it('keeps the count of live handles, and refuses after dispose', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    for (const precision of ['f32', 'f64'] as const) {
      const backend = await createOpenBlasBackend({ precision });
      using matrix = backend.createMatrix(3, 4);
      using small = backend.createMatrix(3, 3);
      symmetricRank2Update(matrix, matrix, small, { transpose: true, beta: 1 });
      expect(backend.memory()).toEqual({
        matrices: 2,
        tables: 0,
        indices: 0,
        bytes: (12 + 9) * (precision === 'f32' ? 4 : 8),
      });
      await backend.dispose();
      expect(() => backend.createMatrix(1, 1)).toThrow(/createMatrix: the backend 'openblas .*' was disposed/);
    }
  });
});

describe('products', () => {
  const sizes = fc.record({
    m: fc.integer({ min: 1, max: 90 }),
    n: fc.integer({ min: 1, max: 90 }),
    k: fc.integer({ min: 1, max: 90 }),
  });

  it('agree with the plain backend, whatever was in out', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    await using native = asDisposable(await createOpenBlasBackend());
    await using plain = asDisposable(createPlainBackend({ precision: 'f64' }));
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), fc.boolean(), async ({ m, n, k }, transposeA, transposeB) => {
        const product = async (backend: Backend): Promise<ArrayLike<number>> => {
          using left = createMatrixFrom(backend, transposeA ? k : m, transposeA ? m : k, numbers(m * k, m));
          using right = createMatrixFrom(backend, transposeB ? n : k, transposeB ? k : n, numbers(k * n, n));
          using out = backend.createMatrix(m, n);
          fill(Number.NaN, out);
          gemm(left, right, out, { transposeA, transposeB, alpha: 0.5 });
          return await read(out);
        };
        expect(largestDifference(await product(native.value), await product(plain.value))).toBeLessThan(
          (k + 3) * 2 ** -23,
        );
      }),
      {
        numRuns: 30,
        examples: [
          [{ m: 1, n: 70, k: 80 }, false, true],
          [{ m: 70, n: 1, k: 80 }, true, false],
        ],
      },
    );
  });

  it('give an update that is symmetric to the last bit, with and without omatcopy', async ({ skip }) => {
    const library = nativeLibrary((reason) => skip(reason));
    for (const precision of ['f32', 'f64'] as const) {
      for (const variant of [library, await libraryWithout(library.path, /omatcopy/)]) {
        await using backend = asDisposable(await composed(precision, variant));
        for (const n of [1, 7, 16, 67]) {
          using a = createMatrixFrom(backend.value, 33, n, numbers(33 * n, 3));
          using b = createMatrixFrom(backend.value, 33, n, numbers(33 * n, 4));
          using out = backend.value.createMatrix(n, n);
          fill(0.25, out);
          symmetricRank2Update(a, b, out, { alpha: -0.3, beta: 0.5 });
          const values = await read(out);
          for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(values[i * n + j]).toBe(values[j * n + i]);
          using twice = backend.value.createMatrix(n, n);
          symmetricRank2Update(a, b, twice, { alpha: -0.3 });
          expect(
            largestDifference(
              (await read(twice)).map((value) => value + 0.125),
              values,
            ),
          ).toBeLessThan(1e-5);
        }
      }
    }
  });
});

describe('solve', () => {
  it('has the solution and the condition of the plain backend', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    await using plain = asDisposable(createPlainBackend({ precision: 'f64' }));
    for (const precision of ['f32', 'f64'] as const) {
      await using native = asDisposable(await createOpenBlasBackend({ precision }));
      for (const system of systems) {
        const [got, expected] = [await solutionOn(native.value, system), await solutionOn(plain.value, system)];
        expect(largestDifference(got.x, expected.x)).toBeLessThan(
          ((precision === 'f32' ? 2e-5 : 1e-12) * Math.max(...Array.from(expected.x, Math.abs))) /
            expected.estimate ** 0.5,
        );
        expect(Math.abs(got.estimate / expected.estimate - 1)).toBeLessThan(precision === 'f32' ? 1e-3 : 1e-9);
      }
    }
  });

  it('near the identity takes the condition for known', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    await using plain = asDisposable(createPlainBackend({ precision: 'f64' }));
    for (const precision of ['f32', 'f64'] as const) {
      await using native = asDisposable(await createOpenBlasBackend({ precision }));
      for (let n = 2; n < 100; n += 7) {
        const system = { n, columns: 3, diagonal: 1, scale: 0.2 / n };
        const [got, expected] = [await solutionOn(native.value, system), await solutionOn(plain.value, system)];
        expect(largestDifference(got.x, expected.x)).toBeLessThan(precision === 'f32' ? 1e-5 : 1e-13);
        expect(got.estimate).toBeLessThanOrEqual(expected.estimate * (1 + 1e-6));
        expect(got.estimate).toBeGreaterThan((7 / 9) * expected.estimate);
      }
    }
  });

  it('leaves a matrix that is not finite to the inner backend', async ({ skip }) => {
    nativeLibrary((reason) => skip(reason));
    await using native = asDisposable(await createOpenBlasBackend());
    using a = createMatrixFrom(native.value, 2, 2, [1, Number.NaN, 0, 1]);
    using b = createMatrixFrom(native.value, 2, 1, [1, 1]);
    using out = native.value.createMatrix(2, 1);
    using estimate = native.value.createMatrix(1, 1);
    solve(a, b, out, estimate);
    expect((await read(estimate))[0]).toBeNaN();
  });
});

describe('a BLAS that lacks LAPACK', () => {
  const compare = async (library: BlasLibrary): Promise<void> => {
    expect(library.lapack).toBeUndefined();
    expect(library.description).toContain('it has no LAPACK, so small systems are solved without it');
    await using plain = asDisposable(createPlainBackend({ precision: 'f64' }));
    for (const precision of ['f32', 'f64'] as const) {
      await using backend = asDisposable(await composed(precision, library));
      for (const system of systems) {
        const [got, expected] = [await solutionOn(backend.value, system), await solutionOn(plain.value, system)];
        expect(Math.abs(got.estimate / expected.estimate - 1)).toBeLessThan(1e-4);
        expect(largestDifference(got.x, expected.x)).toBeLessThan(1e-4 * Math.max(...Array.from(expected.x, Math.abs)));
      }
      using a = createMatrixFrom(backend.value, 2, 2, [1, 2, 3, 4]);
      using out = backend.value.createMatrix(2, 2);
      gemm(a, a, out);
      expect([...(await read(out))]).toEqual([7, 10, 15, 22]);
    }
  };

  it('solves with the inner backend', async ({ skip }) => {
    await compare(await libraryWithout(nativeLibrary((reason) => skip(reason)).path, /ge(trf|con)_$/));
  });
});

describe('threads', () => {
  it('are those of the backend whose turn it is', async ({ skip }) => {
    const { threads } = nativeLibrary((reason) => skip(reason));
    if (threads === undefined) return;
    await using one = asDisposable(await createOpenBlasBackend({ threads: 1 }));
    // In f64 the library's own threads compute; in f32 those of the wasm backend, each of which calls the library.
    await using two = asDisposable(await createOpenBlasBackend({ precision: 'f64', threads: 2 }));
    await using shared = asDisposable(await createOpenBlasBackend({ threads: 2 }));
    const multiplyOn = (backend: Backend): void => {
      using a = createMatrixFrom(backend, 2, 2, [1, 2, 3, 4]);
      using out = backend.createMatrix(2, 2);
      gemm(a, a, out);
    };
    for (const [backend, count] of [
      [one.value, 1],
      [two.value, 2],
      [one.value, 1],
      [two.value, 2],
      [shared.value, 1],
    ] as const) {
      multiplyOn(backend);
      expect(threads.get()).toBe(count);
    }
  });

  it('factorise together on a stack that is deep enough, else one alone', async ({ skip }) => {
    const library = nativeLibrary((reason) => skip(reason));
    const { threads } = library;
    if (threads === undefined) return;
    // OpenBLAS took more than the 2 MiB that koffi gives to a call, from 129 unknowns on.
    const system = { n: 700, columns: 1, diagonal: 30, scale: 1 };
    const counts: number[] = [];
    const solutions: ArrayLike<number>[] = [];
    // Another file of this process may have loaded a library before.
    for (const hasDeepStack of [library.hasDeepStack, false]) {
      const inner = { backend: createPlainBackend({ precision: 'f64' }), view: hostArray };
      await using backend = asDisposable(composeBackend(inner, { ...library, hasDeepStack }, 2));
      solutions.push((await solutionOn(backend.value, system)).x);
      counts.push(threads.get());
    }
    expect(counts).toEqual([library.hasDeepStack ? 2 : 1, 1]);
    Array.from(solutions[0]!, (value, i) => expect(Math.abs(value - solutions[1]![i]!)).toBeLessThan(1e-12));
  });
});
