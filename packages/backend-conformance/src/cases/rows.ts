/** Gather and scatter, on matrices and on tables: any width, any order, repeated indices, no indices. */
import {
  gatherRows,
  isMatrix,
  read,
  readRows,
  scatterAddRows,
  scatterRows,
  write,
  writeRows,
  type FloatArray,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import {
  kernelCase,
  ruleCase,
  combine,
  type CaseContext,
  type ConformanceCase,
  type Prepared,
} from '../conformance-case.ts';
import { knownIndices, knownMatrix, poisonedMatrix, randomMatrix } from '../operands.ts';
import { sumTolerance } from '../tolerance.ts';

type Where = 'matrix' | 'table';
const places: readonly Where[] = ['matrix', 'table'];
/** Rows of the source or destination, its width, number of indices. */
const sizes = [
  [1, 1, 1],
  [5, 3, 4],
  [7, 4, 20],
  [64, 5, 63],
  [300, 65, 64],
  [40, 64, 257],
  [9, 1, 5],
  [6, 4, 0],
] as const;

function randomRows(
  context: CaseContext,
  where: Where,
  rows: number,
  columns: number,
): { handle: Matrix | RowTable; values: FloatArray } {
  if (where === 'matrix') {
    const { matrix, values } = randomMatrix(context, rows, columns);
    return { handle: matrix, values };
  }
  const values = context.random.values(rows * columns, context.backend.precision);
  const table = context.scope.table(rows, columns);
  writeRows(values, 0, table);
  return { handle: table, values };
}

function readAll(handle: Matrix | RowTable): Promise<FloatArray> {
  return isMatrix(handle) ? read(handle) : readRows(handle, 0, handle.rows);
}

function randomIndices(context: CaseContext, count: number, rows: number): number[] {
  // The first and the last row always, the rest at random, with repetitions.
  return Array.from({ length: count }, (_, i) => (i === 0 ? rows - 1 : i === 1 ? 0 : context.random.integer(rows)));
}

function prepareGather(context: CaseContext, where: Where, rows: number, columns: number, count: number): Prepared {
  const source = randomRows(context, where, rows, columns);
  const list = randomIndices(context, count, rows);
  const out = poisonedMatrix(context, count, columns);
  const expected = list.flatMap((row) => Array.from(source.values.subarray(row * columns, (row + 1) * columns)));
  const indices = knownIndices(context, list);
  return {
    call: () => gatherRows(source.handle, indices, out),
    check: async () => expectSame(`gatherRows, ${count} of ${rows}×${columns}`, await read(out), expected, columns),
    operations: count * columns,
  };
}

function prepareScatterAdd(
  context: CaseContext,
  where: Where,
  columns: number,
  list: readonly number[],
  rows: number,
  scale: number,
): Prepared {
  const source = randomMatrix(context, list.length, columns);
  const destination = randomRows(context, where, rows, columns);
  const expected = Float64Array.from(destination.values);
  const magnitudes = Float64Array.from(destination.values, Math.abs);
  const terms = new Int32Array(rows);
  for (const [i, row] of list.entries()) {
    terms[row]!++;
    for (let column = 0; column < columns; column++) {
      const added = scale * source.values[i * columns + column]!;
      expected[row * columns + column]! += added;
      magnitudes[row * columns + column]! += Math.abs(added);
    }
  }
  // A row that no index names must stay as it is, bit for bit.
  for (let i = 0; i < magnitudes.length; i++) if (terms[Math.floor(i / columns)] === 0) magnitudes[i] = 0;
  const tolerance = sumTolerance(context.backend.precision, Math.max(0, ...terms), magnitudes);
  const indices = knownIndices(context, list);
  const what = `scatterAddRows, ${list.length} into ${rows}×${columns}, scale ${scale}`;
  return {
    call: () => scatterAddRows(source.matrix, indices, destination.handle, { scale }),
    check: async () => expectClose(what, await readAll(destination.handle), expected, tolerance, columns),
    operations: 2 * list.length * columns,
  };
}

function prepareScatterRows(
  context: CaseContext,
  where: Where,
  columns: number,
  list: readonly number[],
  rows: number,
): Prepared {
  const source = randomMatrix(context, list.length, columns);
  const destination = randomRows(context, where, rows, columns);
  const expected = Float64Array.from(destination.values);
  for (const [i, row] of list.entries())
    expected.set(source.values.subarray(i * columns, (i + 1) * columns), row * columns);
  const indices = knownIndices(context, list);
  return {
    call: () => scatterRows(source.matrix, indices, destination.handle),
    check: async () =>
      expectSame(
        `scatterRows, ${list.length} into ${rows}×${columns}`,
        await readAll(destination.handle),
        expected,
        columns,
      ),
    operations: list.length * columns,
  };
}

/** Distinct rows in an order that is not sorted. */
function distinctIndices(context: CaseContext, count: number, rows: number): number[] {
  const all = Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = context.random.integer(i + 1);
    const kept = all[i]!;
    all[i] = all[j]!;
    all[j] = kept;
  }
  return all.slice(0, Math.min(count, rows));
}

const placed = places.flatMap((where) => [
  kernelCase(`gather-rows/${where}`, 'gatherRows', (context) =>
    combine(sizes.map(([rows, columns, count]) => prepareGather(context, where, rows, columns, count))),
  ),
  kernelCase(`scatter-add-rows/${where}/distinct`, 'scatterAddRows', (context) =>
    combine(
      sizes.map(([rows, columns, count]) =>
        prepareScatterAdd(context, where, columns, distinctIndices(context, count, rows), rows, 1),
      ),
    ),
  ),
  kernelCase(`scatter-add-rows/${where}/repeated-accumulate`, 'scatterAddRows', (context) =>
    combine([
      ...sizes.map(([rows, columns, count]) =>
        prepareScatterAdd(context, where, columns, randomIndices(context, count, rows), rows, -0.3),
      ),
      prepareScatterAdd(context, where, 5, new Array<number>(257).fill(2), 4, 0.5),
      prepareScatterAdd(context, where, 64, [3, 3], 4, 1),
    ]),
  ),
  kernelCase(`scatter-rows/${where}/distinct`, 'scatterRows', (context) =>
    combine(
      sizes.map(([rows, columns, count]) =>
        prepareScatterRows(context, where, columns, distinctIndices(context, count, rows), rows),
      ),
    ),
  ),
  kernelCase(`scatter-rows/${where}/repeated-takes-the-last`, 'scatterRows', (context) =>
    combine([
      ...sizes.map(([rows, columns, count]) =>
        prepareScatterRows(context, where, columns, randomIndices(context, count, rows), rows),
      ),
      prepareScatterRows(context, where, 65, new Array<number>(129).fill(1), 3),
    ]),
  ),
  ruleCase(
    `scatter-add-rows/${where}/deterministic`,
    'repeated indices accumulate in the same order every time',
    async (context) => {
      const count = 300;
      // Magnitudes over 2⁴⁰: another order of summation gives other bits.
      const values = context.random
        .values(count * 5, 'f64')
        .map((value) => value * 2 ** (context.random.integer(40) - 20));
      const source = knownMatrix(context, count, 5, values).matrix;
      const indices = knownIndices(
        context,
        Array.from({ length: count }, () => context.random.integer(3)),
      );
      const results: FloatArray[] = [];
      for (let round = 0; round < 4; round++) {
        const destination = where === 'matrix' ? context.scope.matrix(3, 5) : context.scope.table(3, 5);
        scatterAddRows(source, indices, destination, { scale: 0.7 });
        results.push(await readAll(destination));
      }
      for (const [round, result] of results.entries())
        expectSame(`round ${round} against round 0`, result, results[0] ?? [], 5);
    },
  ),
]);

export const rowCases: readonly ConformanceCase[] = [
  ...placed,
  ruleCase('scatter-rows/copies-bits', 'scatterRows rounds nothing', async (context) => {
    const source = randomMatrix(context, 4, 7);
    const table = context.scope.table(9, 7);
    const indices = knownIndices(context, [8, 0, 3, 5]);
    scatterRows(source.matrix, indices, table);
    const out = context.scope.matrix(4, 7);
    gatherRows(table, indices, out);
    expectSame('scattered and gathered again', await read(out), source.values, 7);
  }),
  ruleCase('gather-rows/indices-past-the-count-are-ignored', 'the first count indices are valid', async (context) => {
    const source = randomMatrix(context, 5, 2);
    const indices = knownIndices(context, [4, 3, 2, 1]);
    indices.take(Int32Array.of(0, 1), 2);
    context.backend.indicesWritten(indices);
    const out = context.scope.matrix(2, 2);
    write([7, 7, 7, 7], out);
    gatherRows(source.matrix, indices, out);
    expectSame('two rows', await read(out), source.values.subarray(0, 4), 2);
  }),
];
