/** Reductions of rows, of columns, of all numbers and of empty matrices. */
import { read, reduce, type ReduceOperation } from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import { kernelCase, combine, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownMatrix, poisonedMatrix, randomMatrix, type KnownMatrix } from '../operands.ts';
import { sumTolerance } from '../tolerance.ts';

type Target = 'rows' | 'columns' | 'all' | 'own-shape';
const operations: readonly ReduceOperation[] = ['sum', 'sumSquares', 'maximum'];
const targets: readonly Target[] = ['rows', 'columns', 'all', 'own-shape'];
const sizes = [
  [1, 1],
  [1, 5],
  [5, 1],
  [3, 4],
  [63, 65],
  [64, 64],
  [257, 5],
  [5, 257],
] as const;
const empty = [
  [0, 4],
  [4, 0],
  [0, 0],
] as const;

function prepareReduce(context: CaseContext, operation: ReduceOperation, target: Target, x: KnownMatrix): Prepared {
  const { rows, columns } = x.matrix;
  const outRows = target === 'rows' || target === 'own-shape' ? rows : 1;
  const outColumns = target === 'columns' || target === 'own-shape' ? columns : 1;
  const out = poisonedMatrix(context, outRows, outColumns);
  const values = new Float64Array(outRows * outColumns).fill(operation === 'maximum' ? -Infinity : 0);
  const magnitudes = new Float64Array(outRows * outColumns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = x.values[row * columns + column]!;
      const to = (outRows === 1 ? 0 : row) * outColumns + (outColumns === 1 ? 0 : column);
      if (operation === 'maximum') values[to] = Math.max(values[to]!, value);
      else values[to]! += operation === 'sum' ? value : value * value;
      magnitudes[to]! += operation === 'sum' ? Math.abs(value) : value * value;
    }
  }
  const terms = (rows * columns) / Math.max(1, outRows * outColumns);
  const what = `${operation} of ${rows}×${columns} into ${outRows}×${outColumns}`;
  return {
    call: () => reduce(operation, x.matrix, out),
    check: async () => {
      const got = await read(out);
      if (operation === 'maximum') expectSame(what, got, values, outColumns);
      else expectClose(what, got, values, sumTolerance(context.backend.precision, terms, magnitudes), outColumns);
    },
    operations: rows * columns,
  };
}

const shaped = operations.flatMap((operation) =>
  targets.flatMap((target) => [
    kernelCase(`reduce/${operation}/${target}`, 'reduce', (context) =>
      combine(
        sizes.map(([rows, columns]) => prepareReduce(context, operation, target, randomMatrix(context, rows, columns))),
      ),
    ),
    kernelCase(`reduce/${operation}/${target}/empty`, 'reduce', (context) =>
      combine(
        empty.map(([rows, columns]) => prepareReduce(context, operation, target, randomMatrix(context, rows, columns))),
      ),
    ),
  ]),
);

export const reduceCases: readonly ConformanceCase[] = [
  ...shaped,
  kernelCase('reduce/maximum/all-negative', 'reduce', (context) =>
    combine(
      targets.map((target) => {
        const values = context.random.values(65 * 7, 'f64').map((value) => -1 - Math.abs(value));
        return prepareReduce(context, 'maximum', target, knownMatrix(context, 65, 7, values));
      }),
    ),
  ),
  ...operations.map((operation) =>
    kernelCase(`reduce/${operation}/keeps-nan`, 'reduce', (context) =>
      combine(
        targets.flatMap((target) =>
          // The NaN is first, in the middle and last in its row.
          [0, 37, 64].map((column) => {
            const values = context.random.values(3 * 65, 'f64');
            values[65 + column] = Number.NaN;
            values[65 + ((column + 1) % 65)] = 2;
            return prepareReduce(context, operation, target, knownMatrix(context, 3, 65, values));
          }),
        ),
      ),
    ),
  ),
];
