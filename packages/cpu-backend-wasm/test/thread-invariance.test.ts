/** The same bits whatever the number of threads: how a kernel is cut depends on its size, and no sum crosses a cut. */
import {
  affine,
  axpy,
  binary,
  combineRanges,
  createMatrixFrom,
  exponentiateRanges,
  gatherRows,
  gemm,
  read,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  solve,
  sparseTimesRows,
  symmetricRank2Update,
  unary,
  updateRanges,
  updateRows,
  Workspace,
  writeIndices,
  writeRows,
  type Backend,
  type Indices,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVariant } from '../src/create-wasm-backend.ts';

const threadCounts = [1, 2, 3];
let backends: Backend[] = [];

beforeAll(async () => {
  backends = await Promise.all(threadCounts.map((threads) => createVariant({ threads, relaxed: false })));
});

afterAll(async () => {
  await Promise.all(backends.map((backend) => backend.dispose()));
});

function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 2 ** 30 - 1;
  });
}

interface Inputs {
  /** The same numbers on every backend. */
  matrix(rows: number, columns: number): Matrix;
  out(rows: number, columns: number): Matrix;
  /** With numbers that are not negative. */
  table(rows: number, columns: number): RowTable;
  indices(count: number, rowOf: (i: number) => number): Indices;
}

/** Runs the same on all backends, several times so that workers have come, and compares all bits. */
async function expectSame(body: (inputs: Inputs) => void): Promise<void> {
  const results: Float32Array[][] = [];
  for (const backend of backends) {
    let bits: Float32Array[] = [];
    for (let repeat = 0; repeat < 3; repeat++) {
      const live: Disposable[] = [];
      const outs: Matrix[] = [];
      let seed = 1;
      const inputs: Inputs = {
        matrix: (rows, columns) => {
          const matrix = createMatrixFrom(backend, rows, columns, numbers(rows * columns, seed++));
          live.push(matrix);
          return matrix;
        },
        out: (rows, columns) => {
          const matrix = inputs.matrix(rows, columns);
          outs.push(matrix);
          return matrix;
        },
        table: (rows, columns) => {
          const table = backend.createTable(rows, columns);
          writeRows(numbers(rows * columns, seed++).map(Math.abs), 0, table);
          live.push(table);
          return table;
        },
        indices: (count, rowOf) => {
          const list = backend.createIndices(count);
          writeIndices(
            Int32Array.from({ length: count }, (_, i) => rowOf(i)),
            list,
          );
          live.push(list);
          return list;
        },
      };
      body(inputs);
      bits = (await Promise.all(outs.map((out) => read(out)))) as Float32Array[];
      for (const handle of live) handle[Symbol.dispose]();
    }
    results.push(bits);
  }
  for (const result of results) {
    result.forEach((bits, i) => {
      // Not `toEqual`, which takes seconds for a million numbers.
      expect(
        Buffer.from(bits.buffer).equals(Buffer.from((results[0]?.[i] ?? new Float32Array()).buffer)),
        `output ${i}`,
      ).toBe(true);
    });
  }
}

/** Sizes around the places where kernels are cut. */
const length = fc.constantFrom(1, 4095, 4096, 4097, 8193, 16_383, 16_384, 16_385, 65_537, 100_003);
const shape = fc.constantFrom(
  [1, 40_001],
  [2, 16_385],
  [3, 9000],
  [63, 300],
  [64, 513],
  [129, 300],
  [700, 33],
  [20_001, 2],
  [16_385, 1],
) as fc.Arbitrary<[number, number]>;

describe('any number of threads gives the same bits of', () => {
  it('a product', async () => {
    const size = fc.constantFrom(1, 2, 4, 15, 16, 63, 64, 65, 127, 129, 257, 511, 513, 530);
    const depth = fc.constantFrom(1, 3, 16, 250, 319, 321, 641);
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        depth,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(0, 1, 0.9999),
        async (m, n, k, transposeA, transposeB, beta) => {
          await expectSame(({ matrix, out }) => {
            const a = transposeA ? matrix(k, m) : matrix(m, k);
            gemm(a, transposeB ? matrix(n, k) : matrix(k, n), out(m, n), { transposeA, transposeB, alpha: 0.7, beta });
          });
        },
      ),
      {
        numRuns: 25,
        examples: [
          [530, 1030, 641, true, true, 0.5],
          [1, 3000, 300, false, false, 1],
          [3000, 1, 300, false, true, 0],
          [700, 900, 1, false, false, 1],
        ],
      },
    );
  });

  it('elementwise kernels', async () => {
    await fc.assert(
      fc.asyncProperty(length, async (count) => {
        await expectSame(({ matrix, out }) => {
          affine(matrix(1, count), 0.9999, 0.25, out(1, count));
          axpy(-0.3, matrix(1, count), out(1, count));
          for (const operation of ['tanh', 'gelu', 'square'] as const)
            unary(operation, matrix(1, count), out(1, count));
        });
      }),
      { numRuns: 10 },
    );
  });

  it('binary kernels with every broadcast, and reductions', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ([rows, columns]) => {
        await expectSame(({ matrix, out }) => {
          const x = matrix(rows, columns);
          binary('add', x, matrix(rows, columns), out(rows, columns));
          binary('multiply', x, matrix(1, columns), out(rows, columns));
          binary('subtract', x, matrix(rows, 1), out(rows, columns));
          binary('divide', x, matrix(1, 1), out(rows, columns));
          scaleRows(x, matrix(rows, 1), out(rows, columns));
          rowDot(x, matrix(rows, columns), out(rows, 1));
          for (const operation of ['sum', 'sumSquares', 'maximum'] as const) {
            reduce(operation, x, out(rows, 1));
            reduce(operation, x, out(1, columns));
            reduce(operation, x, out(1, 1));
          }
        });
      }),
      { numRuns: 12 },
    );
  });

  it('kernels on rows', async () => {
    await expectSame(({ matrix, out, table, indices }) => {
      const count = 700;
      const columns = 131;
      const distinct = indices(count, (i) => (i * 7) % 1000);
      const repeated = indices(count, (i) => (i * i) % 40);
      const weights = table(1000, columns);
      const workspace = new Workspace(weights.backend);
      const update = { rule: 'adagrad', learningRate: 0.1, epsilon: 1e-8 } as const;
      updateRows(matrix(count, columns), distinct, weights, [table(1000, columns)], update, workspace);
      workspace[Symbol.dispose]();
      scatterAddRows(matrix(count, columns), repeated, weights, { scale: -0.3 });
      gatherRows(weights, distinct, out(count, columns));
      const entries = { rowIndices: repeated, columnIndices: distinct, values: matrix(count, 1) };
      sparseTimesRows(entries, weights, out(40, columns), matrix);
    });
  });

  it('ranges of rows', async () => {
    await expectSame(({ matrix, out, table, indices }) => {
      const [count, n, columns] = [90, 31, 131];
      const weights = table(1000, columns);
      const workspace = new Workspace(weights.backend);
      // Runs of equal starts longer and shorter than a chunk, and a range that ends with the table.
      const starts = indices(count, (i) => (i < 40 ? 0 : Math.floor((i - 38) / 2) * n));
      const source = { source: matrix(20, columns), sourceIndices: indices(count, (i) => (i * i) % 20) };
      const factors = out(count, n);
      exponentiateRanges(weights, starts, source, factors, out(count, 1), out(count, 1), workspace);
      combineRanges(weights, starts, factors, out(count, columns), workspace);
      updateRanges(factors, source, starts, weights, workspace, { scale: -0.1 });
      workspace[Symbol.dispose]();
    });
  });

  it('a sum of more than sixty-four chunks', async () => {
    await expectSame(({ matrix, out }) => {
      reduce('sum', matrix(1031, 1999), out(1, 1));
    });
  });

  it('solutions and symmetric updates', async () => {
    for (const [n, columns] of [
      [1, 1],
      [7, 3],
      [16, 40],
      [63, 5],
      [64, 64],
      [129, 131],
      [200, 17],
    ] as const) {
      await expectSame(({ matrix, out }) => {
        solve(matrix(n, n), matrix(n, columns), out(n, columns), out(1, 1));
        symmetricRank2Update(matrix(columns, n), matrix(columns, n), out(n, n), { alpha: -0.5, beta: 0.9 });
      });
    }
  });
});
