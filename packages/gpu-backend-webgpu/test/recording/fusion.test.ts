/** Elementwise operations that become one kernel, against the same one by one, and against the plain backend. */
import {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  copyColumns,
  createPlainBackend,
  fill,
  gatherRows,
  read,
  reduce,
  scaleRows,
  unary,
  write,
  writeIndices,
  type Backend,
  type FloatArray,
  type Matrix,
} from '@vastmax/linalg-core';
import type { WebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { describe, expect } from 'vitest';
import { gpuTest, numbers } from '../gpu-test.ts';

/** Whole numbers from 0 to `below` - 1. */
function dice(seed: number): (below: number) => number {
  const rolls = numbers(4000, seed);
  let next = 0;
  return (below) => Math.floor(((rolls[next++ % rolls.length]! + 1) / 2) * below);
}

/**
 * A random program on whole numbers, which no operation here more than doubles: every backend computes it without
 * rounding. Operands are whole matrices, rows, columns and one number, often the same ones, and other kernels come
 * between.
 */
async function runProgram(
  backend: Backend,
  seed: number,
  rows: number,
  columns: number,
): Promise<readonly FloatArray[]> {
  const roll = dice(seed);
  const make = (m: number, n: number): Matrix => {
    const matrix = backend.createMatrix(m, n);
    write(
      Array.from({ length: m * n }, () => roll(7) - 3),
      matrix,
    );
    return matrix;
  };
  const whole = [make(rows, columns), make(rows, columns), make(rows, columns)];
  const others = [make(1, columns), make(rows, 1), make(1, 1)];
  const all = [...whole, ...others];
  const indices = backend.createIndices(rows);
  const pick = (from: readonly Matrix[]): Matrix => from[roll(from.length)]!;
  const like = (one: Matrix): readonly Matrix[] =>
    all.filter((other) => other.rows === one.rows && other.columns === one.columns);
  for (let step = 0; step < 18; step++) {
    const out = pick(roll(3) === 0 ? all : whole);
    const x = pick(like(out));
    const distinct = x === out ? undefined : x;
    const kinds = [
      () => fill(roll(5) - 2, out),
      () => distinct && copy(distinct, out),
      () => affine(x, roll(3) - 1, roll(5) - 2, out),
      () => axpy(roll(2) === 0 ? 1 : -1, x, out),
      () => unary((['abs', 'relu', 'step'] as const)[roll(3)]!, x, out),
      () => binary(roll(2) === 0 ? 'add' : 'subtract', x, pick(like(out)), out),
      () => binary(roll(2) === 0 ? 'add' : 'subtract', pick(whole), pick([...others, ...whole]), pick(whole)),
      () => fill(-1, others[1]!) ?? scaleRows(pick(whole), others[1]!, pick(whole)),
      () => distinct && reduce('maximum', pick(whole), pick(others)),
      () => distinct && copyColumns(distinct, 0, out, out.columns - 1, 1),
      () => rows === columns && addDiagonal(1, pick(whole)),
      () =>
        write(
          Array.from({ length: rows * columns }, () => roll(9) - 4),
          pick(whole),
        ),
      () => {
        writeIndices(
          Int32Array.from({ length: rows }, () => roll(rows)),
          indices,
        );
        gatherRows(whole[0]!, indices, whole[1]!);
      },
    ];
    kinds[roll(kinds.length)]?.();
  }
  return Promise.all(all.map((matrix) => read(matrix)));
}

function dispatchesOf(backend: WebGpuBackend, body: () => void): Promise<number> {
  const before = backend.counters.dispatches;
  body();
  return backend.synchronize().then(() => backend.counters.dispatches - before);
}

describe('fused elementwise operations', () => {
  gpuTest('give what they give one by one, whatever comes between', async (create) => {
    const [fused, single, plain] = [await create(), await create({ fuse: false }), createPlainBackend()];
    let saved = 0;
    for (let seed = 1; seed <= 14; seed++) {
      const [rows, columns] = (
        [
          [5, 5],
          [6, 8],
          [3, 7],
          [8, 8],
        ] as const
      )[seed % 4]!;
      const expected = await runProgram(plain, seed, rows, columns);
      const before = [fused.counters.dispatches, single.counters.dispatches] as const;
      expect(await runProgram(fused, seed, rows, columns), `program ${seed}`).toEqual(expected);
      expect(await runProgram(single, seed, rows, columns), `program ${seed}, one by one`).toEqual(expected);
      saved += single.counters.dispatches - before[1] - (fused.counters.dispatches - before[0]);
    }
    expect(saved).toBeGreaterThan(30);
  });

  gpuTest('are one dispatch while they are of one length, and end where one reads in two ways', async (create) => {
    const [fused, single] = [await create(), await create({ fuse: false })];
    const counts: number[] = [];
    for (const backend of [fused, single]) {
      const [x, y, column] = [backend.createMatrix(9, 5), backend.createMatrix(9, 5), backend.createMatrix(9, 1)];
      const chain = (): void => {
        affine(x, 2, 1, y);
        binary('add', y, column, y);
        axpy(0.5, x, y);
        binary('divide', y, x, x);
      };
      counts.push(await dispatchesOf(backend, chain));
      counts.push(await dispatchesOf(backend, () => void (chain(), fill(1, column), chain())));
    }
    // The second chain uses the column that is filled, so it cannot come before; the fill is of another length.
    expect(counts).toEqual([1, 3, 4, 9]);
  });

  gpuTest('are apart where shapes of one length differ, or a matrix was resized between', async (create) => {
    const results = await Promise.all(
      [await create(), createPlainBackend()].map((backend) => {
        const [wide, high, row] = [backend.createMatrix(4, 8), backend.createMatrix(8, 4), backend.createMatrix(4, 8)];
        for (const [seed, matrix] of [wide, high, row].entries())
          write(
            numbers(32, seed + 1).map((x) => Math.round(9 * x)),
            matrix,
          );
        binary('add', wide, row.resize(1, 8), wide);
        binary('add', high, row.resize(1, 4), high);
        binary('subtract', high, row.resize(8, 1), high);
        affine(row.resize(4, 8), 2, 1, row);
        binary('add', wide, row, wide);
        return Promise.all([wide, high, row].map((matrix) => read(matrix)));
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });

  gpuTest('let what has nothing to do with them go first', async (create) => {
    const backend = await create();
    const [x, y, other] = [backend.createMatrix(4, 4), backend.createMatrix(4, 4), backend.createMatrix(4, 1)];
    const interleaved = (): void => {
      fill(2, x);
      reduce('sum', y, other);
      affine(x, 3, 1, x);
    };
    expect(await dispatchesOf(backend, interleaved)).toBe(2);
    expect([...(await read(x))]).toEqual(new Array<number>(16).fill(7));
    const dependent = (): void => {
      fill(2, x);
      reduce('sum', x, other);
      affine(x, 3, 1, x);
    };
    expect(await dispatchesOf(backend, dependent)).toBe(3);
    expect([...(await read(other))]).toEqual([8, 8, 8, 8]);
  });

  gpuTest('may be longer than one kernel takes', async (create) => {
    const backend = await create();
    const matrices = Array.from({ length: 20 }, () => backend.createMatrix(3, 3));
    for (const matrix of matrices) fill(1, matrix);
    for (let round = 0; round < 30; round++)
      for (const [i, matrix] of matrices.entries()) axpy(1, matrices[(i + 1) % 20]!, matrix);
    const plain = createPlainBackend();
    const expected = Array.from({ length: 20 }, () => plain.createMatrix(3, 3));
    for (const matrix of expected) fill(1, matrix);
    for (let round = 0; round < 30; round++)
      for (const [i, matrix] of expected.entries()) axpy(1, expected[(i + 1) % 20]!, matrix);
    expect(await read(matrices[7]!)).toEqual(await read(expected[7]!));
  });
});
