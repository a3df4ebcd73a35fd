/**
 * Softmax over ranges of rows of a table: numerators, weighted sums, updates. Ranges that are the same, that end with the
 * table, that lie across two pieces of it, none. The operations are the same for backends without kernels for them, which
 * then use the composition.
 */
import {
  combineRanges,
  exponentiateRanges,
  read,
  readRows,
  updateRanges,
  Workspace,
  writeRows,
  type FloatArray,
  type RowTable,
} from '@vastmax/linalg-core';
import { expectClose } from '../comparison.ts';
import { combine, kernelCase, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownIndices, knownMatrix, poisonedMatrix, randomMatrix } from '../operands.ts';
import { elementwiseTolerance, sumTolerance } from '../tolerance.ts';

interface Sizes {
  readonly rows: number;
  readonly columns: number;
  /** Rows of a range. */
  readonly n: number;
  readonly starts: readonly number[];
}

const sizes: readonly Sizes[] = [
  { rows: 1, columns: 1, n: 1, starts: [0] },
  { rows: 10, columns: 3, n: 4, starts: [0, 0, 4, 8] },
  { rows: 70, columns: 17, n: 9, starts: [9, 9, 9, 9, 9, 9, 27, 54, 63, 63] },
  { rows: 500, columns: 129, n: 62, starts: [0, 62, 62, 124, 248, 434, 496, 496] },
  { rows: 64, columns: 66, n: 64, starts: Array.from({ length: 40 }, () => 0) },
  { rows: 5, columns: 4, n: 2, starts: [] },
];

/** Ranges around the end of a first piece, of rows of 2 KiB. */
function acrossPieces({ tablePieceBytes, backend }: CaseContext): Sizes {
  const columns = 2048 / (backend.precision === 'f32' ? 4 : 8);
  const perPiece = Math.floor(tablePieceBytes / 2048);
  return { rows: perPiece + 7, columns, n: 5, starts: [perPiece - 7, perPiece - 2, perPiece - 2, perPiece + 3] };
}

/** A table whose rows in the ranges are random. */
function rangesTable(
  context: CaseContext,
  { rows, columns, n, starts }: Sizes,
): {
  readonly table: RowTable;
  readonly first: number;
  readonly values: FloatArray;
} {
  const first = starts[0] ?? 0;
  const count = Math.min(rows, (starts.at(-1) ?? 0) + n) - first;
  const values = context.random.values(count * columns, context.backend.precision);
  const table = context.scope.table(rows, columns);
  writeRows(values, first, table);
  return { table, first, values };
}

function prepareExponentials(context: CaseContext, given: Sizes): Prepared {
  const { rows, columns, n, starts } = given;
  const { precision } = context.backend;
  const { table, first, values } = rangesTable(context, given);
  const { matrix: source, values: numbers } = randomMatrix(context, 6, columns);
  const sources = starts.map((_, i) => (5 * i + 2) % 6);
  const count = starts.length;
  const expected = new Float64Array(count * n);
  const tolerance = new Float64Array(count * n);
  const largest = new Float64Array(count).fill(-Infinity);
  const largestTolerance = new Float64Array(count);
  const totals = new Float64Array(count);
  const totalTolerance = new Float64Array(count);
  for (const [range, start] of starts.entries()) {
    const dots: number[] = [];
    const magnitudes: number[] = [];
    for (let row = start; row < Math.min(start + n, rows); row++) {
      let sum = 0;
      let magnitude = 0;
      for (let column = 0; column < columns; column++) {
        const product = values[(row - first) * columns + column]! * numbers[sources[range]! * columns + column]!;
        sum += product;
        magnitude += Math.abs(product);
      }
      dots.push(sum);
      magnitudes.push(magnitude);
    }
    largest[range] = Math.max(...dots);
    const allowed = sumTolerance(precision, columns, magnitudes);
    largestTolerance[range] = Math.max(...allowed);
    for (const [j, dot] of dots.entries()) {
      const shifted = dot - largest[range];
      const value = Math.exp(shifted);
      expected[range * n + j] = value;
      tolerance[range * n + j] =
        elementwiseTolerance(precision, value, Math.abs(shifted) * value) +
        value * 2 * (allowed[j]! + largestTolerance[range]);
      totals[range]! += value;
      totalTolerance[range]! += tolerance[range * n + j]!;
    }
    totalTolerance[range]! += sumTolerance(precision, n, [totals[range]!])[0]!;
  }
  const out = poisonedMatrix(context, count, n);
  const maxima = poisonedMatrix(context, count, 1);
  const sums = poisonedMatrix(context, count, 1);
  const lists = { starts: knownIndices(context, starts), sources: knownIndices(context, sources) };
  const workspace = context.scope.own(new Workspace(context.backend));
  const what = `exponentiateRanges, ${count} ranges of ${n} of ${rows}×${columns}`;
  return {
    call: () => {
      exponentiateRanges(table, lists.starts, { source, sourceIndices: lists.sources }, out, maxima, sums, workspace);
    },
    check: async () => {
      expectClose(what, await read(out), expected, tolerance, n);
      expectClose(`${what}: maxima`, await read(maxima), largest, largestTolerance, 1);
      expectClose(`${what}: sums`, await read(sums), totals, totalTolerance, 1);
    },
    operations: 2 * count * n * columns,
  };
}

/** One for each row of each range, 0 where the table has none. */
function factorsFor(context: CaseContext, { rows, n, starts }: Sizes): ReturnType<typeof knownMatrix> {
  const factors = context.random
    .values(starts.length * n, context.backend.precision)
    .map((value, i) => (starts[Math.floor(i / n)]! + (i % n) < rows ? value : 0));
  return knownMatrix(context, starts.length, n, factors);
}

function prepareSums(context: CaseContext, given: Sizes): Prepared {
  const { rows, columns, n, starts } = given;
  const { table, first, values } = rangesTable(context, given);
  const factors = factorsFor(context, given);
  const expected = new Float64Array(starts.length * columns);
  const magnitudes = new Float64Array(starts.length * columns);
  for (const [range, start] of starts.entries()) {
    for (let j = 0; j < n && start + j < rows; j++) {
      for (let column = 0; column < columns; column++) {
        const product = factors.values[range * n + j]! * values[(start + j - first) * columns + column]!;
        expected[range * columns + column]! += product;
        magnitudes[range * columns + column]! += Math.abs(product);
      }
    }
  }
  const out = poisonedMatrix(context, starts.length, columns);
  const list = knownIndices(context, starts);
  const workspace = context.scope.own(new Workspace(context.backend));
  return {
    call: () => {
      combineRanges(table, list, factors.matrix, out, workspace);
    },
    check: async () => {
      const what = `combineRanges, ${starts.length} ranges of ${n} of ${rows}×${columns}`;
      expectClose(what, await read(out), expected, sumTolerance(context.backend.precision, n, magnitudes), columns);
    },
    operations: 2 * starts.length * n * columns,
  };
}

function prepareUpdates(context: CaseContext, given: Sizes, where: 'table' | 'matrix'): Prepared {
  const { rows, columns, n, starts } = given;
  const { precision } = context.backend;
  const { table, first, values } = rangesTable(context, given);
  const matrix = where === 'matrix' ? knownMatrix(context, rows, columns, values).matrix : undefined;
  const { matrix: source, values: numbers } = randomMatrix(context, 6, columns);
  const sources = starts.map((_, i) => (5 * i + 2) % 6);
  const factors = factorsFor(context, given);
  const scale = -0.75;
  const expected = Float64Array.from(values);
  const magnitudes = expected.map(Math.abs);
  for (const [range, start] of starts.entries()) {
    for (let j = 0; j < n && start + j < rows; j++) {
      for (let column = 0; column < columns; column++) {
        const at = (start + j - first) * columns + column;
        const product = scale * factors.values[range * n + j]! * numbers[sources[range]! * columns + column]!;
        expected[at]! += product;
        magnitudes[at]! += Math.abs(product);
      }
    }
  }
  const lists = { starts: knownIndices(context, starts), sources: knownIndices(context, sources) };
  const workspace = context.scope.own(new Workspace(context.backend));
  return {
    call: () => {
      const rangeSource = { source, sourceIndices: lists.sources };
      updateRanges(factors.matrix, rangeSource, lists.starts, matrix ?? table, workspace, { scale });
    },
    check: async () => {
      const what = `updateRanges, ${starts.length} ranges of ${n} of a ${where} of ${rows}×${columns}`;
      const got = matrix === undefined ? await readRows(table, first, values.length / columns) : await read(matrix);
      expectClose(what, got, expected, sumTolerance(precision, starts.length + 2, magnitudes), columns);
    },
    operations: 2 * starts.length * n * columns,
  };
}

/** Those that begin with the first row, and have all rows of a table in them, are of matrices too. */
const wholeSizes = sizes.filter(({ rows, n, starts }) => starts[0] === 0 && (starts.at(-1) ?? 0) + n >= rows);

export const rowRangesCases: readonly ConformanceCase[] = [
  kernelCase('row-ranges/exponentiate', 'exponentiateRanges', (context) =>
    combine(sizes.map((size) => prepareExponentials(context, size))),
  ),
  kernelCase('row-ranges/combine', 'combineRanges', (context) =>
    combine(sizes.map((size) => prepareSums(context, size))),
  ),
  kernelCase('row-ranges/update', 'updateRanges', (context) =>
    combine(sizes.map((size) => prepareUpdates(context, size, 'table'))),
  ),
  kernelCase('row-ranges/update-of-a-matrix', 'updateRanges', (context) =>
    combine(wholeSizes.map((size) => prepareUpdates(context, size, 'matrix'))),
  ),
  kernelCase('row-ranges/pieces', 'exponentiateRanges', (context) => {
    const size = acrossPieces(context);
    return combine([
      prepareExponentials(context, size),
      prepareSums(context, size),
      prepareUpdates(context, size, 'table'),
    ]);
  }),
];
