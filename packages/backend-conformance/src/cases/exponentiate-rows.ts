/** The numerators of a softmax with their maxima and sums: the oracle, the composition, and rows that are special. */
import { binary, copy, exponentiateRows, read, reduce, unary } from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import {
  combine,
  kernelCase,
  optionalCase,
  type CaseContext,
  type ConformanceCase,
  type Prepared,
} from '../conformance-case.ts';
import { knownMatrix, poisonedMatrix } from '../operands.ts';
import { elementwiseTolerance, sumTolerance } from '../tolerance.ts';

/** Rows and columns; the last are longer than what one thread computes at a time. */
const sizes = [
  [1, 1],
  [3, 5],
  [4, 4],
  [7, 16],
  [5, 77],
  [130, 65],
  [2, 9001],
  [33, 1024],
] as const;

function prepareExponentials(context: CaseContext, rows: number, columns: number, spread: number): Prepared {
  const { precision } = context.backend;
  const { matrix, values } = knownMatrix(
    context,
    rows,
    columns,
    context.random.values(rows * columns, precision).map((value) => spread * value),
  );
  const composed = context.scope.matrix(rows, columns);
  copy(matrix, composed);
  const maxima = poisonedMatrix(context, rows, 1);
  const sums = poisonedMatrix(context, rows, 1);
  const expected = new Float64Array(values.length);
  const tolerance = new Float64Array(values.length);
  const largest = new Float64Array(rows).fill(-Infinity);
  const totals = new Float64Array(rows);
  const totalTolerance = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let i = row * columns; i < (row + 1) * columns; i++) largest[row] = Math.max(largest[row]!, values[i]!);
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const shifted = values[i]! - largest[row]!;
      expected[i] = Math.exp(shifted);
      tolerance[i] = elementwiseTolerance(precision, expected[i]!, Math.abs(shifted) * expected[i]!);
      totals[row] = totals[row]! + expected[i]!;
      totalTolerance[row] = totalTolerance[row]! + tolerance[i]!;
    }
    totalTolerance[row] = totalTolerance[row]! + sumTolerance(precision, columns, [totals[row]!])[0]!;
  }
  const what = `exponentiateRows ${rows}×${columns}, numbers up to ${spread}`;
  return {
    call: () => {
      exponentiateRows(matrix, maxima, sums);
    },
    check: async () => {
      const got = await read(matrix);
      expectClose(what, got, expected, tolerance, columns);
      expectSame(`${what}: maxima`, await read(maxima), largest, 1);
      expectClose(`${what}: sums`, await read(sums), totals, totalTolerance, 1);
      const column = context.scope.matrix(rows, 1);
      reduce('maximum', composed, column);
      binary('subtract', composed, column, composed);
      unary('exp', composed, composed);
      const both = tolerance.map((allowed) => 2 * allowed);
      expectClose(`${what}, against the composition`, got, await read(composed), both, columns);
    },
    operations: 3 * rows * columns,
  };
}

export const exponentiateRowsCases: readonly ConformanceCase[] = [
  ...[1, 20, 300].map((spread) =>
    kernelCase(
      `exponentiate-rows/up-to-${spread}`,
      'exponentiateRows',
      (context) => combine(sizes.map(([rows, columns]) => prepareExponentials(context, rows, columns, spread))),
      ['exponentiateRows'],
    ),
  ),
  optionalCase(
    'exponentiate-rows/special-numbers',
    'a poisoned row stays visible, and no other is affected',
    ['exponentiateRows'],
    async (context) => {
      const columns = 37;
      const rows = 6;
      const values = new Float64Array(rows * columns).fill(0.5);
      values[columns] = Number.NaN;
      values[2 * columns + 20] = Number.NaN;
      values[3 * columns + 36] = Number.NaN;
      values[4 * columns + 3] = -Infinity;
      const x = knownMatrix(context, rows, columns, values).matrix;
      const maxima = poisonedMatrix(context, rows, 1);
      const sums = poisonedMatrix(context, rows, 1);
      exponentiateRows(x, maxima, sums);
      expectSame('maxima', await read(maxima), [0.5, Number.NaN, Number.NaN, Number.NaN, 0.5, 0.5], 1);
      expectSame('sums', await read(sums), [37, Number.NaN, Number.NaN, Number.NaN, 36, 37], 1);
    },
  ),
  optionalCase('exponentiate-rows/empty', 'empty shapes are legal', ['exponentiateRows'], async (context) => {
    const maxima = poisonedMatrix(context, 3, 1);
    const sums = poisonedMatrix(context, 3, 1);
    exponentiateRows(context.scope.matrix(3, 0), maxima, sums);
    expectSame('maxima of nothing', await read(maxima), [-Infinity, -Infinity, -Infinity], 1);
    expectSame('sums of nothing', await read(sums), [0, 0, 0], 1);
    exponentiateRows(context.scope.matrix(0, 3), context.scope.matrix(0, 1), context.scope.matrix(0, 1));
  }),
];
