/** Dot products of pairs of rows: of matrices and tables, repeated rows, no pairs. */
import { gatheredRowDot, read, writeRows, type FloatArray, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { expectClose } from '../comparison.ts';
import { combine, kernelCase, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownIndices, poisonedMatrix, randomMatrix } from '../operands.ts';
import { sumTolerance } from '../tolerance.ts';

type Where = 'matrix' | 'table';

/** Rows of a and of b, width, pairs. */
const sizes = [
  [1, 1, 1, 1],
  [4, 9, 3, 20],
  [33, 7, 66, 130],
  [60, 300, 128, 700],
  [300, 60, 201, 300],
  [5, 4, 6, 0],
] as const;

function randomRows(
  context: CaseContext,
  where: Where,
  rows: number,
  columns: number,
): { readonly handle: Matrix | RowTable; readonly values: FloatArray } {
  if (where === 'matrix') {
    const { matrix, values } = randomMatrix(context, rows, columns);
    return { handle: matrix, values };
  }
  const values = context.random.values(rows * columns, context.backend.precision);
  const table = context.scope.table(rows, columns);
  writeRows(values, 0, table);
  return { handle: table, values };
}

function prepare(
  context: CaseContext,
  [whereA, whereB]: readonly [Where, Where],
  [aRows, bRows, columns, count]: readonly [number, number, number, number],
): Prepared {
  const { random, scope, backend } = context;
  const a = randomRows(context, whereA, aRows, columns);
  const b = randomRows(context, whereB, bRows, columns);
  const aList = Array.from({ length: count }, (_, i) => (i === 0 ? aRows - 1 : random.integer(aRows)));
  const bList = Array.from({ length: count }, (_, i) => (i === 0 ? bRows - 1 : random.integer(bRows)));
  const expected = new Float64Array(count);
  const magnitudes = new Float64Array(count);
  for (let pair = 0; pair < count; pair++) {
    for (let column = 0; column < columns; column++) {
      const product = a.values[aList[pair]! * columns + column]! * b.values[bList[pair]! * columns + column]!;
      expected[pair]! += product;
      magnitudes[pair]! += Math.abs(product);
    }
  }
  const aIndices = knownIndices(context, aList);
  const bIndices = knownIndices(context, bList);
  const out = poisonedMatrix(context, count, 1);
  return {
    call: () => gatheredRowDot(a.handle, aIndices, b.handle, bIndices, out, (rows, width) => scope.matrix(rows, width)),
    check: async () => {
      const tolerance = sumTolerance(backend.precision, columns, magnitudes);
      expectClose(`gatheredRowDot, ${count} pairs of ${columns} numbers`, await read(out), expected, tolerance, 1);
    },
    operations: 2 * count * columns,
  };
}

const ways = [
  ['matrix', 'table'],
  ['table', 'matrix'],
  ['matrix', 'matrix'],
  ['table', 'table'],
] as const;

export const gatheredRowDotCases: readonly ConformanceCase[] = ways.map((way) =>
  kernelCase(
    `gathered-row-dot/${way[0]}-and-${way[1]}`,
    'gatheredRowDot',
    (context) => combine(sizes.map((size) => prepare(context, way, size))),
    ['gatheredRowDot'],
  ),
);
