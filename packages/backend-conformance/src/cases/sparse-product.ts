/** Entries times rows, added where they belong: to and from matrices and tables, repeated places, no entries. */
import {
  isMatrix,
  read,
  readRows,
  sparseTimesRows,
  writeRows,
  type FloatArray,
  type Matrix,
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
import { sumTolerance } from '../tolerance.ts';

type Where = 'matrix' | 'table';

/** Rows of out and of the source, width, entries. */
const sizes = [
  [1, 1, 1, 1],
  [4, 9, 3, 20],
  [33, 7, 65, 130],
  [60, 300, 128, 700],
  [60, 300, 201, 300],
  [5, 4, 6, 0],
] as const;

function randomRows(
  { scope, random, backend }: CaseContext,
  where: Where,
  rows: number,
  columns: number,
): { readonly handle: Matrix | RowTable; readonly values: FloatArray } {
  const values = random.values(rows * columns, backend.precision);
  if (where === 'table') {
    const table = scope.table(rows, columns);
    writeRows(values, 0, table);
    return { handle: table, values };
  }
  const matrix = scope.matrix(rows, columns);
  backend.write(values, matrix);
  return { handle: matrix, values };
}

function prepare(
  context: CaseContext,
  [from, to]: readonly [Where, Where],
  [rows, sourceRows, columns, count]: readonly [number, number, number, number],
  hasValues: boolean,
  scale: number,
): Prepared {
  const { random, scope, backend } = context;
  const source = randomRows(context, from, sourceRows, columns);
  const out = randomRows(context, to, rows, columns);
  const rowList = Array.from({ length: count }, (_, i) => (i === 0 ? rows - 1 : random.integer(rows)));
  const columnList = Array.from({ length: count }, (_, i) => (i === 0 ? sourceRows - 1 : random.integer(sourceRows)));
  const factors = randomMatrix(context, count, 1);
  const expected = Float64Array.from(out.values);
  const magnitudes = Float64Array.from(out.values, Math.abs);
  const terms = new Int32Array(rows);
  for (const [entry, row] of rowList.entries()) {
    terms[row]!++;
    const factor = scale * (hasValues ? factors.values[entry]! : 1);
    for (let column = 0; column < columns; column++) {
      const product = factor * source.values[columnList[entry]! * columns + column]!;
      expected[row * columns + column]! += product;
      magnitudes[row * columns + column]! += Math.abs(product);
    }
  }
  // A row without entries stays as it is, bit for bit.
  for (let i = 0; i < magnitudes.length; i++) if (terms[Math.floor(i / columns)] === 0) magnitudes[i] = 0;
  const tolerance = sumTolerance(backend.precision, Math.max(0, ...terms), magnitudes);
  const entries = {
    rowIndices: knownIndices(context, rowList),
    columnIndices: knownIndices(context, columnList),
    values: hasValues ? factors.matrix : undefined,
  };
  const { handle } = out;
  return {
    call: () =>
      sparseTimesRows(entries, source.handle, handle, (count, width) => scope.matrix(count, width), { scale }),
    check: async () => {
      const got = await (isMatrix(handle) ? read(handle) : readRows(handle, 0, rows));
      expectClose(`sparseTimesRows, ${count} entries into ${rows}×${columns}`, got, expected, tolerance, columns);
    },
    operations: 2 * count * columns,
  };
}

const ways = [
  ['table', 'matrix'],
  ['matrix', 'matrix'],
  ['matrix', 'table'],
  ['table', 'table'],
] as const;

export const sparseProductCases: readonly ConformanceCase[] = [
  ...ways.map((way) =>
    kernelCase(
      `sparse-times-rows/${way[0]}-to-${way[1]}`,
      'sparseTimesRows',
      (context) =>
        combine(
          sizes.flatMap((size) => [prepare(context, way, size, true, 1), prepare(context, way, size, false, -0.3)]),
        ),
      ['sparseTimesRows'],
    ),
  ),
  optionalCase(
    'sparse-times-rows/deterministic',
    'entries of the same row accumulate in the same order every time',
    ['sparseTimesRows'],
    async (context) => {
      const count = 900;
      const columns = 130;
      // Magnitudes over 2⁴⁰: another order of summation gives other bits.
      const values = context.random.values(count, 'f64').map((value) => value * 2 ** (context.random.integer(40) - 20));
      const source = randomMatrix(context, 50, columns).matrix;
      const entries = {
        rowIndices: knownIndices(
          context,
          Array.from({ length: count }, () => context.random.integer(3)),
        ),
        columnIndices: knownIndices(
          context,
          Array.from({ length: count }, () => context.random.integer(50)),
        ),
        values: knownMatrix(context, count, 1, values).matrix,
      };
      const results: FloatArray[] = [];
      for (let round = 0; round < 4; round++) {
        const out = context.scope.matrix(3, columns);
        sparseTimesRows(entries, source, out, (rows, width) => context.scope.matrix(rows, width));
        results.push(await read(out));
      }
      for (const [round, result] of results.entries())
        expectSame(`round ${round} against round 0`, result, results[0] ?? [], columns);
    },
  ),
];
