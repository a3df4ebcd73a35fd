/** Rule 1: kernels behave as if run in call order and never wait; a read gives the value as of the call. */
import {
  affine,
  axpy,
  copy,
  createHostArray,
  fill,
  gatherRows,
  gemm,
  read,
  readSync,
  scatterAddRows,
  write,
  writeIndices,
} from '@vastmax/linalg-core';
import { expectSame } from '../comparison.ts';
import { optionalCase, ruleCase, type ConformanceCase } from '../conformance-case.ts';
import { knownMatrix, randomMatrix } from '../operands.ts';

const inOrder = 'kernels behave as if run in call order';

export const orderCases: readonly ConformanceCase[] = [
  ruleCase('order/read-as-of-the-call', 'read returns the value as of the call', async (context) => {
    const { matrix, values } = randomMatrix(context, 65, 64);
    const first = read(matrix);
    fill(7, matrix);
    const second = read(matrix);
    write(new Float64Array(65 * 64).fill(8), matrix);
    const third = read(matrix);
    fill(9, matrix);
    expectSame('before fill', await first, values, 64);
    expectSame('after fill', await second, new Float64Array(65 * 64).fill(7), 64);
    expectSame('after write', await third, new Float64Array(65 * 64).fill(8), 64);
  }),
  ruleCase('order/read-before-resize', 'read returns the value as of the call', async (context) => {
    const { matrix, values } = randomMatrix(context, 8, 8);
    const reading = read(matrix);
    fill(1, matrix.resize(2, 2));
    expectSame('the 8×8 numbers', await reading, values, 8);
  }),
  ruleCase('order/read-before-dispose', 'disposal is safe while work is pending', async ({ backend }) => {
    const matrix = backend.createMatrix(9, 9);
    fill(4, matrix);
    const reading = read(matrix);
    matrix[Symbol.dispose]();
    using other = backend.createMatrix(9, 9);
    fill(5, other);
    expectSame('the numbers before disposal', await reading, new Float64Array(81).fill(4));
  }),
  optionalCase('read-sync/after-pending-work', 'readSync equals read', ['readSync'], async (context) => {
    const a = randomMatrix(context, 65, 64).matrix;
    const b = randomMatrix(context, 64, 63).matrix;
    const out = context.scope.matrix(65, 63);
    for (const beta of [0, 1, 0.5]) {
      gemm(a, b, out, { beta });
      affine(out, 2, -1, out);
      // Copied before any deferred work can run.
      const numbers = readSync(out).slice();
      expectSame(`with beta ${beta}`, numbers, await read(out), 63);
    }
    const empty = context.scope.matrix(0, 3);
    expectSame('an empty matrix', readSync(empty), []);
  }),
  optionalCase(
    'read-sync/as-of-the-call',
    'readSync returns the value as of the call',
    ['readSync'],
    async (context) => {
      const { matrix, values } = randomMatrix(context, 9, 7);
      const first = readSync(matrix);
      fill(7, matrix);
      const second = readSync(matrix);
      write(new Float64Array(63).fill(8), matrix);
      expectSame('before fill', first, values, 7);
      expectSame('after fill', second, new Float64Array(63).fill(7), 7);
      expectSame('after write', readSync(matrix), new Float64Array(63).fill(8), 7);
      await context.backend.synchronize();
      expectSame('before fill, compared later', first, values, 7);
    },
  ),
  optionalCase('read-sync/resized', 'readSync returns the numbers of the shape', ['readSync'], async (context) => {
    const { matrix, values } = randomMatrix(context, 6, 6);
    matrix.resize(2, 3);
    const longer = createHostArray(context.backend, 36).fill(-5);
    readSync(matrix, longer);
    const expected = new Float64Array(36).fill(-5);
    expected.set(values.subarray(0, 6));
    expectSame('2×3 numbers, the rest of out untouched', longer, expected, 6);
    await context.backend.synchronize();
  }),
  ruleCase('order/write-copies-values', 'write copies the values before it returns', async ({ backend, scope }) => {
    const values = createHostArray(backend, 12).fill(3);
    const matrix = scope.matrix(3, 4);
    write(values, matrix);
    values.fill(99);
    expectSame('the numbers as written', await read(matrix), new Float64Array(12).fill(3));
  }),
  ruleCase('order/operand-changed-after-the-call', inOrder, async (context) => {
    const a = knownMatrix(context, 2, 2, [1, 2, 3, 4]).matrix;
    const b = knownMatrix(context, 2, 2, [1, 0, 0, 1]).matrix;
    const first = context.scope.matrix(2, 2);
    const second = context.scope.matrix(2, 2);
    gemm(a, b, first);
    write([2, 0, 0, 2], b);
    gemm(a, b, second);
    fill(0, a);
    expectSame('with the old b', await read(first), [1, 2, 3, 4]);
    expectSame('with the new b', await read(second), [2, 4, 6, 8]);
  }),
  ruleCase('order/indices-rewritten-after-the-call', inOrder, async (context) => {
    const source = knownMatrix(context, 3, 1, [10, 20, 30]).matrix;
    const indices = context.scope.indices(2);
    const first = context.scope.matrix(2, 1);
    const second = context.scope.matrix(2, 1);
    writeIndices(Int32Array.of(0, 2), indices);
    gatherRows(source, indices, first);
    writeIndices(Int32Array.of(1, 1), indices);
    gatherRows(source, indices, second);
    expectSame('with the old indices', await read(first), [10, 30]);
    expectSame('with the new indices', await read(second), [20, 20]);
  }),
  ruleCase('order/long-chain', inOrder, async (context) => {
    // Small whole numbers, so that every precision and order of summation gives the same.
    const x = knownMatrix(context, 2, 2, [1, 2, 3, 4]).matrix;
    const swap = knownMatrix(context, 2, 2, [0, 1, 1, 0]).matrix;
    const out = context.scope.matrix(2, 2);
    const indices = context.scope.indices(2);
    writeIndices(Int32Array.of(1, 1), indices);
    let expected = [1, 2, 3, 4];
    for (let step = 0; step < 50; step++) {
      gemm(x, swap, out);
      affine(out, 1, step % 3, out);
      axpy(-1, x, out);
      scatterAddRows(out, indices, x);
      affine(x, step % 7 === 6 ? 0 : 1, 1, x);
      const [a = 0, b = 0, c = 0, d = 0] = expected;
      const shift = step % 3;
      const keep = step % 7 === 6 ? 0 : 1;
      const added = [b + shift - a + (d + shift - c), a + shift - b + (c + shift - d)];
      expected = [a, b, c + (added[0] ?? 0), d + (added[1] ?? 0)].map((value) => keep * value + 1);
    }
    expectSame('after 250 kernels', await read(x), expected, 2);
  }),
  ruleCase('order/dispose-right-after-a-kernel', 'disposal is safe while work is pending', async (context) => {
    const out = context.scope.matrix(64, 64);
    const expected = new Float64Array(64 * 64);
    for (let round = 1; round <= 5; round++) {
      using temporary = context.backend.createMatrix(64, 64);
      fill(round, temporary);
      if (round === 1) copy(temporary, out);
      else axpy(1, temporary, out);
      expected.fill((round * (round + 1)) / 2);
    }
    using reused = context.backend.createMatrix(64, 64);
    fill(-1000, reused);
    expectSame('the sum of five disposed matrices', await read(out), expected, 64);
  }),
  ruleCase(
    'order/synchronize-after-work',
    'synchronize resolves when everything called so far is done',
    async ({ backend, scope }) => {
      const matrix = scope.matrix(64, 64);
      for (let round = 0; round < 20; round++) fill(round, matrix);
      await backend.synchronize();
      await Promise.all([backend.synchronize(), backend.synchronize()]);
      expectSame('the last fill', await read(matrix), new Float64Array(64 * 64).fill(19));
    },
  ),
];
