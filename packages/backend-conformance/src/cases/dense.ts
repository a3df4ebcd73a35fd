/** The other dense kernels without a function table: fill, copies, diagonal, rowDot, scaleRows, axpy, affine. */
import {
  addDiagonal,
  affine,
  axpy,
  copy,
  copyColumns,
  fill,
  read,
  rowDot,
  scaleRows,
  type Matrix,
} from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import { kernelCase, combine, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { poisonedMatrix, randomMatrix } from '../operands.ts';
import { sumTolerance } from '../tolerance.ts';

type Shape = readonly [rows: number, columns: number];
const shapes: readonly Shape[] = [
  [1, 1],
  [1, 5],
  [3, 4],
  [4, 3],
  [5, 1],
  [63, 65],
  [64, 64],
  [257, 5],
  [5, 257],
  [0, 3],
  [3, 0],
];

function everyShape(prepare: (rows: number, columns: number) => Prepared): Prepared {
  return combine(shapes.map(([rows, columns]) => prepare(rows, columns)));
}

/** Compare out with expected values that are sums of `terms` terms of these magnitudes. */
async function checkSums(
  context: CaseContext,
  what: string,
  out: Matrix,
  terms: number,
  expected: readonly number[],
  magnitudes: readonly number[],
): Promise<void> {
  const tolerance = sumTolerance(context.backend.precision, terms, magnitudes);
  expectClose(`${what} ${out.rows}×${out.columns}`, await read(out), expected, tolerance, out.columns);
}

function prepareAxpy(context: CaseContext, rows: number, columns: number, alpha: number): Prepared {
  const x = randomMatrix(context, rows, columns);
  const out = randomMatrix(context, rows, columns);
  const expected = Array.from(x.values, (value, i) => out.values[i]! + alpha * value);
  const magnitudes = Array.from(x.values, (value, i) => Math.abs(out.values[i]!) + Math.abs(alpha * value));
  return {
    call: () => axpy(alpha, x.matrix, out.matrix),
    check: () => checkSums(context, `axpy alpha=${alpha}`, out.matrix, 2, expected, magnitudes),
    operations: 2 * rows * columns,
  };
}

function prepareAffine(
  context: CaseContext,
  rows: number,
  columns: number,
  scale: number,
  shift: number,
  inPlace: boolean,
): Prepared {
  const x = randomMatrix(context, rows, columns);
  const out = inPlace ? x.matrix : poisonedMatrix(context, rows, columns);
  const expected = Array.from(x.values, (value) => scale * value + shift);
  const magnitudes = Array.from(x.values, (value) => Math.abs(scale * value) + Math.abs(shift));
  return {
    call: () => affine(x.matrix, scale, shift, out),
    check: () => checkSums(context, `affine ${scale}·x + ${shift}`, out, 2, expected, magnitudes),
    operations: 2 * rows * columns,
  };
}

function prepareScaleRows(context: CaseContext, rows: number, columns: number, inPlace: boolean): Prepared {
  const source = randomMatrix(context, rows, columns);
  const factors = randomMatrix(context, rows, 1);
  const out = inPlace ? source.matrix : poisonedMatrix(context, rows, columns);
  const expected = Array.from(source.values, (value, i) => factors.values[Math.floor(i / columns)]! * value);
  return {
    call: () => scaleRows(source.matrix, factors.matrix, out),
    check: () => checkSums(context, 'scaleRows', out, 1, expected, expected.map(Math.abs)),
    operations: rows * columns,
  };
}

function prepareRowDot(context: CaseContext, rows: number, columns: number): Prepared {
  const a = randomMatrix(context, rows, columns);
  const b = randomMatrix(context, rows, columns);
  const out = poisonedMatrix(context, rows, 1);
  const expected = new Array<number>(rows).fill(0);
  const magnitudes = new Array<number>(rows).fill(0);
  for (let i = 0; i < rows * columns; i++) {
    const row = Math.floor(i / columns);
    expected[row]! += a.values[i]! * b.values[i]!;
    magnitudes[row]! += Math.abs(a.values[i]! * b.values[i]!);
  }
  return {
    call: () => rowDot(a.matrix, b.matrix, out),
    check: () => checkSums(context, `rowDot of ${rows}×${columns}`, out, columns, expected, magnitudes),
    operations: 2 * rows * columns,
  };
}

export const denseCases: readonly ConformanceCase[] = [
  kernelCase('fill/every-element', 'fill', (context) =>
    everyShape((rows, columns) => {
      const { matrix } = randomMatrix(context, rows, columns);
      return {
        call: () => fill(-2.5, matrix),
        check: async () =>
          expectSame(`fill ${rows}×${columns}`, await read(matrix), new Float64Array(rows * columns).fill(-2.5)),
        operations: rows * columns,
      };
    }),
  ),
  kernelCase('fill/nan-and-infinity', 'fill', (context) => {
    const first = context.scope.matrix(3, 3);
    const second = context.scope.matrix(3, 3);
    return {
      call: () => {
        fill(Number.NaN, first);
        fill(-Infinity, second);
      },
      check: async () => {
        expectSame('fill with NaN', await read(first), new Float64Array(9).fill(Number.NaN));
        expectSame('fill with -Infinity', await read(second), new Float64Array(9).fill(-Infinity));
      },
      operations: 18,
    };
  }),
  kernelCase('copy/same-shape', 'copy', (context) =>
    everyShape((rows, columns) => {
      const source = randomMatrix(context, rows, columns);
      const out = poisonedMatrix(context, rows, columns);
      return {
        call: () => copy(source.matrix, out),
        check: async () => expectSame(`copy ${rows}×${columns}`, await read(out), source.values, columns),
        operations: rows * columns,
      };
    }),
  ),
  kernelCase('copy/other-shape', 'copy', (context) => {
    const source = randomMatrix(context, 6, 4);
    const out = poisonedMatrix(context, 3, 8);
    return {
      call: () => copy(source.matrix, out),
      check: async () => expectSame('6×4 copied to 3×8', await read(out), source.values, 8),
      operations: 24,
    };
  }),
  kernelCase('copy-columns/ranges', 'copyColumns', (context) =>
    combine(
      (
        [
          [7, 9, 2, 8, 1, 3],
          [7, 9, 2, 5, 1, 4],
          [7, 9, 0, 4, 0, 4],
          [65, 5, 4, 70, 69, 1],
          [3, 5, 5, 6, 2, 0],
          [0, 4, 1, 4, 0, 2],
        ] as const
      ).map(([rows, sourceColumns, sourceColumn, outColumns, outColumn, count]) => {
        const source = randomMatrix(context, rows, sourceColumns);
        const out = randomMatrix(context, rows, outColumns);
        const expected = Float64Array.from(out.values);
        for (let row = 0; row < rows; row++) {
          for (let j = 0; j < count; j++) {
            expected[row * outColumns + outColumn + j] = source.values[row * sourceColumns + sourceColumn + j]!;
          }
        }
        return {
          call: () => copyColumns(source.matrix, sourceColumn, out.matrix, outColumn, count),
          check: async () => expectSame('copyColumns, all of out', await read(out.matrix), expected, outColumns),
          operations: rows * count,
        };
      }),
    ),
  ),
  kernelCase('add-diagonal/sizes', 'addDiagonal', (context) =>
    combine(
      [0, 1, 3, 4, 65].map((n) => {
        const out = randomMatrix(context, n, n);
        const onDiagonal = (i: number): number => (Math.floor(i / n) === i % n ? 0.75 : 0);
        const expected = Array.from(out.values, (value, i) => value + onDiagonal(i));
        const magnitudes = Array.from(out.values, (value, i) =>
          onDiagonal(i) === 0 ? 0 : Math.abs(value) + onDiagonal(i),
        );
        return {
          call: () => addDiagonal(0.75, out.matrix),
          check: () => checkSums(context, 'addDiagonal', out.matrix, 2, expected, magnitudes),
          operations: n,
        };
      }),
    ),
  ),
  kernelCase('row-dot/sizes', 'rowDot', (context) =>
    everyShape((rows, columns) => prepareRowDot(context, rows, columns)),
  ),
  kernelCase('scale-rows/sizes', 'scaleRows', (context) =>
    everyShape((rows, columns) => prepareScaleRows(context, rows, columns, false)),
  ),
  kernelCase('scale-rows/in-place', 'scaleRows', (context) =>
    everyShape((rows, columns) => prepareScaleRows(context, rows, columns, true)),
  ),
  kernelCase('axpy/sizes', 'axpy', (context) =>
    everyShape((rows, columns) => combine([0.3, -1, 0].map((alpha) => prepareAxpy(context, rows, columns, alpha)))),
  ),
  kernelCase('affine/sizes', 'affine', (context) =>
    everyShape((rows, columns) =>
      combine([
        prepareAffine(context, rows, columns, -0.7, 0.2, false),
        prepareAffine(context, rows, columns, 0, 3, false),
      ]),
    ),
  ),
  kernelCase('affine/in-place', 'affine', (context) =>
    everyShape((rows, columns) => prepareAffine(context, rows, columns, 1.5, -0.25, true)),
  ),
];
