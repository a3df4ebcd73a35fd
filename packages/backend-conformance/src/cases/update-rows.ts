/** The update of a table's rows with moments in place: the oracle, the composition, and rows that must stay. */
import {
  gatherRows,
  read,
  readRows,
  updateMatrix,
  updateRows,
  Workspace,
  writeRows,
  type FloatArray,
  type MomentUpdate,
  type RowTable,
} from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import {
  combine,
  kernelCase,
  optionalCase,
  type CaseContext,
  type ConformanceCase,
  type Prepared,
} from '../conformance-case.ts';
import { knownIndices, knownMatrix, randomMatrix } from '../operands.ts';
import { naiveUpdate } from '../oracle/moment-updates.ts';
import { sumTolerance } from '../tolerance.ts';

const updates: readonly MomentUpdate[] = [
  { rule: 'momentum', learningRate: 0.05, momentum: 0.9 },
  { rule: 'adagrad', learningRate: 0.05, epsilon: 1e-8 },
  { rule: 'adam', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3 },
  // No memory: the moments become the gradient.
  { rule: 'momentum', learningRate: 1, momentum: 0 },
  { rule: 'adam', learningRate: 0.1, beta1: 0, beta2: 0, epsilon: 1e-3, step: 1 },
];

/** Rows of the table, its width, rows touched. */
const sizes = [
  [1, 1, 1],
  [7, 3, 4],
  [9, 4, 9],
  [64, 5, 33],
  [300, 65, 130],
  [400, 128, 300],
  [6, 4, 0],
  [3, 0, 2],
] as const;

/** Rounding of the longest chain of operations: square, decay, sum, correction, root, epsilon, quotient, rate. */
const roundings = 8;

interface FilledTable {
  readonly table: RowTable;
  readonly values: FloatArray;
}

function filledTable({ scope }: CaseContext, columns: number, values: FloatArray, rows: number): FilledTable {
  const table = scope.table(rows, columns);
  writeRows(values, 0, table);
  return { table, values };
}

/** Distinct rows that are not sorted: a stride without a common divisor. */
function distinctRows(rows: number, count: number): number[] {
  let stride = Math.max(1, Math.floor(rows * 0.382));
  while (greatestCommonDivisor(stride, rows) > 1) stride++;
  return Array.from({ length: count }, (_, i) => (rows - 1 + i * stride) % rows);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function prepareUpdate(
  context: CaseContext,
  update: MomentUpdate,
  rows: number,
  columns: number,
  count: number,
): Prepared {
  const { backend, scope, random } = context;
  const { precision } = backend;
  const weights = filledTable(context, columns, random.values(rows * columns, precision), rows);
  // Sums of squares are not negative.
  const moments = Array.from({ length: update.rule === 'adam' ? 2 : 1 }, (_, index) => {
    const isSquare = update.rule === 'adagrad' || index === 1;
    return filledTable(
      context,
      columns,
      random.values(rows * columns, precision).map((value) => (isSquare ? value * value : value)),
      rows,
    );
  });
  const list = distinctRows(rows, count);
  const indices = knownIndices(context, list);
  const gradient = randomMatrix(context, count, columns);
  const workspace = scope.own(new Workspace(backend));

  const tables = [weights, ...moments];
  const expected = tables.map(({ values }) => Float64Array.from(values));
  const magnitudes = tables.map(({ values }) => new Float64Array(values.length));
  for (const [i, row] of list.entries()) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const old = tables.map(({ values }) => values[at]!);
      const result = naiveUpdate(update, old, gradient.values[i * columns + column]!);
      for (const [place, value] of result.values.entries()) {
        expected[place]![at] = value;
        magnitudes[place]![at] = result.magnitudes[place]!;
      }
    }
  }
  // The composition, on the same rows.
  const composed = tables.map(({ table }) => {
    const matrix = scope.matrix(count, columns);
    gatherRows(table, indices, matrix);
    return matrix;
  });
  const [value, ...rest] = composed;
  const copied = knownMatrix(context, count, columns, gradient.values).matrix;
  if (value !== undefined) updateMatrix(value, copied, rest, update, scope.matrix(count, columns));

  const what = `updateRows, ${update.rule}, ${count} of ${rows}×${columns}`;
  return {
    call: () =>
      updateRows(
        gradient.matrix,
        indices,
        weights.table,
        moments.map(({ table }) => table),
        update,
        workspace,
      ),
    check: async () => {
      for (const [place, { table }] of tables.entries()) {
        const name = place === 0 ? what : `${what}: moment ${place - 1}`;
        const got = await readRows(table, 0, rows);
        const tolerance = sumTolerance(precision, roundings, magnitudes[place]!);
        // A row that no index names stays as it is, bit for bit.
        for (let i = 0; i < tolerance.length; i++) if (magnitudes[place]![i] === 0) tolerance[i] = 0;
        expectClose(name, got, expected[place]!, tolerance, columns);
        const rowsOf = (numbers: ArrayLike<number>): number[] =>
          list.flatMap((row) => Array.from({ length: columns }, (_, column) => numbers[row * columns + column]!));
        const both = rowsOf(tolerance).map((allowed) => 2 * allowed);
        expectClose(`${name}, against the composition`, rowsOf(got), await read(composed[place]!), both, columns);
      }
    },
    operations: 4 * count * columns * tables.length,
  };
}

export const updateRowsCases: readonly ConformanceCase[] = [
  ...updates.map((update, i) =>
    kernelCase(
      `update-rows/${update.rule}/${i < 3 ? 'sizes' : 'no-memory'}`,
      'updateRows',
      (context) => combine(sizes.map(([rows, columns, count]) => prepareUpdate(context, update, rows, columns, count))),
      ['updateRows'],
    ),
  ),
  optionalCase(
    'update-rows/table-of-several-pieces',
    'rows on both sides of a boundary are updated',
    ['updateRows'],
    async (context) => {
      const { scope, backend, tablePieceBytes } = context;
      const columns = 3;
      const bytesPerRow = columns * (backend.precision === 'f32' ? 4 : 8);
      const rows = Math.ceil((1.2 * tablePieceBytes) / bytesPerRow);
      const table = scope.table(rows, columns);
      const moment = scope.table(rows, columns);
      const last = 2 ** Math.floor(Math.log2(tablePieceBytes / bytesPerRow)) - 1;
      const list = [last + 1, rows - 1, last, 0];
      const gradient = randomMatrix(context, list.length, columns);
      updateRows(
        gradient.matrix,
        knownIndices(context, list),
        table,
        [moment],
        { rule: 'momentum', learningRate: 1, momentum: 0.5 },
        scope.own(new Workspace(backend)),
      );
      for (const [i, row] of list.entries()) {
        const expected = gradient.values.subarray(i * columns, (i + 1) * columns);
        expectSame(`moment of row ${row}`, await readRows(moment, row, 1), expected);
        expectSame(
          `row ${row}`,
          await readRows(table, row, 1),
          expected.map((value) => -value),
        );
      }
      expectSame('the row before', await readRows(table, last - 1, 1), [0, 0, 0]);
    },
  ),
];
