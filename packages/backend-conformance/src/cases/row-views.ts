/** Rows of a table as a matrix over the same numbers: reading and writing through it, and when it becomes invalid. */
import {
  axpy,
  fill,
  gatherRows,
  gemm,
  growTable,
  read,
  readRows,
  scatterAddRows,
  viewRows,
  writeRows,
  type FloatArray,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { expectClose, expectSame, expectThrows, expectTrue } from '../comparison.ts';
import { optionalCase, type CaseContext, type ConformanceCase } from '../conformance-case.ts';
import { knownIndices, knownMatrix, randomMatrix } from '../operands.ts';
import { naiveGemm } from '../oracle/matrix-product.ts';
import { sumTolerance } from '../tolerance.ts';

const rows = 50;
const columns = 13;

function filledTable({ scope, random, backend }: CaseContext): { table: RowTable; values: FloatArray } {
  const table = scope.table(rows, columns);
  const values = random.values(rows * columns, backend.precision);
  writeRows(values, 0, table);
  return { table, values };
}

/** Undefined where the backend keeps this table out of reach, which it may. */
function viewOf(context: CaseContext, table: RowTable, first: number, count: number): Matrix | undefined {
  const view = viewRows(table, first, count);
  return view === undefined ? undefined : context.scope.own(view);
}

/** The ranges of a small table. */
const ranges = [
  [0, rows],
  [0, 1],
  [7, 20],
  [rows - 1, 1],
] as const;

export const rowViewCases: readonly ConformanceCase[] = [
  optionalCase('view-rows/read', 'a view has the numbers of its table', ['viewRows'], async (context) => {
    const { table, values } = filledTable(context);
    for (const [first, count] of ranges) {
      const view = viewOf(context, table, first, count);
      if (view === undefined) continue;
      const expected = values.subarray(first * columns, (first + count) * columns);
      expectSame(`rows ${first} to ${first + count}`, await read(view), expected, columns);
      writeRows(values, 0, table);
      scatterAddRows(randomMatrix(context, 1, columns).matrix, knownIndices(context, [first]), table);
      const changed = await readRows(table, first, count);
      expectSame('after a change of the table', await read(view), changed, columns);
      writeRows(values, 0, table);
    }
  }),
  optionalCase('view-rows/write', 'what is written to a view is in its table', ['viewRows'], async (context) => {
    const { table, values } = filledTable(context);
    for (const [first, count] of ranges) {
      const view = viewOf(context, table, first, count);
      if (view === undefined) continue;
      fill(first + 0.5, view);
      values.fill(first + 0.5, first * columns, (first + count) * columns);
      expectSame('the whole table', await readRows(table, 0, rows), values, columns);
      const out = context.scope.matrix(1, columns);
      gatherRows(table, knownIndices(context, [first]), out);
      expectSame('gathered', await read(out), values.subarray(first * columns, (first + 1) * columns));
    }
  }),
  optionalCase('view-rows/products', 'a view is an operand and a result of products', ['viewRows'], async (context) => {
    const { precision } = context.backend;
    const { table, values } = filledTable(context);
    const m = 9;
    for (const [first, count] of ranges) {
      const view = viewOf(context, table, first, count);
      if (view === undefined) continue;
      const old = values.slice(first * columns, (first + count) * columns);
      const a = randomMatrix(context, m, columns);
      const products = context.scope.matrix(m, count);
      gemm(a.matrix, view, products, { transposeB: true });
      const forward = naiveGemm(a.values, old, new Float64Array(m * count), {
        ...{ m, n: count, k: columns, transposeA: false, transposeB: true, alpha: 1, beta: 0 },
      });
      const allowed = sumTolerance(precision, columns, forward.magnitudes);
      expectClose('a·viewᵀ', await read(products), forward.values, allowed, count);
      const b = randomMatrix(context, m, count);
      const sums = context.scope.matrix(m, columns);
      gemm(b.matrix, view, sums);
      const backward = naiveGemm(b.values, old, new Float64Array(m * columns), {
        ...{ m, n: columns, k: count, transposeA: false, transposeB: false, alpha: 1, beta: 0 },
      });
      expectClose('b·view', await read(sums), backward.values, sumTolerance(precision, count, backward.magnitudes));
      gemm(b.matrix, a.matrix, view, { transposeA: true, alpha: -0.5, beta: 1 });
      const update = naiveGemm(b.values, a.values, old, {
        ...{ m: count, n: columns, k: m, transposeA: true, transposeB: false, alpha: -0.5, beta: 1 },
      });
      const got = await readRows(table, 0, rows);
      const changed = got.subarray(first * columns, (first + count) * columns);
      expectClose('view − ½·bᵀa', changed, update.values, sumTolerance(precision, m, update.magnitudes), columns);
      values.set(changed, first * columns);
      expectSame('the other rows', got, values, columns);
    }
  }),
  optionalCase('view-rows/pieces', 'a view ends at a piece or is none', ['viewRows'], async (context) => {
    const { tablePieceBytes, backend, scope } = context;
    const width = 3;
    const bytesPerRow = width * (backend.precision === 'f32' ? 4 : 8);
    const count = Math.ceil((1.2 * tablePieceBytes) / bytesPerRow);
    const table = scope.table(count, width);
    const boundary = 2 ** Math.floor(Math.log2(tablePieceBytes / bytesPerRow));
    for (const first of [boundary - 3, boundary - 1, boundary, count - 2]) {
      writeRows([first, 1, 2, 3, 4, 5], first, table);
      const view = viewOf(context, table, first, 2);
      if (view === undefined) continue;
      expectSame(`rows ${first} and ${first + 1}`, await read(view), [first, 1, 2, 3, 4, 5], width);
      axpy(1, knownMatrix(context, 2, width, [1, 1, 1, 1, 1, 1]).matrix, view);
      expectSame('the table', await readRows(table, first, 2), [first + 1, 2, 3, 4, 5, 6], width);
    }
  }),
  optionalCase('view-rows/lifetime', 'a view ends with its table, or when it grows', ['viewRows'], async (context) => {
    const { backend } = context;
    const { table } = filledTable(context);
    const before = backend.memory();
    const first = viewRows(table, 3, 4);
    if (first !== undefined) {
      expectTrue('a view counts as a matrix', backend.memory().matrices === before.matrices + 1);
      expectTrue('its bytes are those of the table', backend.memory().bytes === before.bytes);
      first[Symbol.dispose]();
    }
    expectTrue('a disposed view leaves nothing', backend.memory().matrices === before.matrices);
    const grown = viewOf(context, table, 0, 4);
    growTable(table, rows + 1);
    if (grown !== undefined)
      expectThrows('fill of a view whose table has grown', 'disposed', ['view'], () => fill(1, grown));
    const other = backend.createTable(4, columns);
    const orphan = viewOf(context, other, 0, 4);
    other[Symbol.dispose]();
    if (orphan !== undefined)
      expectThrows('fill of a view whose table was disposed', 'disposed', ['view'], () => fill(1, orphan));
    expectThrows('viewRows beyond the end', 'index-out-of-range', ['51'], () => viewRows(table, 40, 12));
    await Promise.resolve();
  }),
];
