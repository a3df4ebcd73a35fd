/**
 * The checks of the operations, with this backend's handles: the code, and both values in the message. They are
 * implemented in linalg-core, and hold for every backend whose handles are instances of linalg-core's classes and
 * report their shapes.
 */
import {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  copyColumns,
  createHostArray,
  exponentiateRanges,
  gatheredRowDot,
  gatherRows,
  gemm,
  read,
  readRows,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  scatterRows,
  solve,
  sparseTimesRows,
  symmetricRank2Update,
  unary,
  updateRanges,
  updateRows,
  Workspace,
  write,
  writeIndices,
  writeRows,
  type LinalgErrorCode,
} from '@vastmax/linalg-core';
import { expectRejects, expectSame, expectThrows } from '../comparison.ts';
import { ruleCase, type CaseContext, type ConformanceCase } from '../conformance-case.ts';
import { knownIndices } from '../operands.ts';

interface Mistake {
  readonly name: string;
  readonly code: LinalgErrorCode;
  readonly fragments: readonly string[];
  readonly make: (context: CaseContext) => unknown;
}

const mistakes: readonly Mistake[] = [
  {
    name: 'write',
    code: 'shape',
    fragments: ['5', '2×3'],
    make: ({ scope }) => write(new Float32Array(5), scope.matrix(2, 3)),
  },
  {
    name: 'copy',
    code: 'shape',
    fragments: ['2×3', '2×2'],
    make: ({ scope }) => copy(scope.matrix(2, 3), scope.matrix(2, 2)),
  },
  {
    name: 'copyColumns',
    code: 'index-out-of-range',
    fragments: ['3', '4'],
    make: ({ scope }) => copyColumns(scope.matrix(2, 4), 2, scope.matrix(2, 4), 0, 3),
  },
  {
    name: 'copyColumns',
    code: 'shape',
    fragments: ['2×4', '3×4'],
    make: ({ scope }) => copyColumns(scope.matrix(2, 4), 0, scope.matrix(3, 4), 0, 3),
  },
  { name: 'addDiagonal', code: 'shape', fragments: ['2×3'], make: ({ scope }) => addDiagonal(1, scope.matrix(2, 3)) },
  {
    name: 'gemm',
    code: 'shape',
    fragments: ['3×4', '5×2', 'inner dimensions'],
    make: ({ scope }) => gemm(scope.matrix(3, 4), scope.matrix(5, 2), scope.matrix(3, 2)),
  },
  {
    name: 'gemm',
    code: 'shape',
    fragments: ['3×4 transposed', '4×2'],
    make: ({ scope }) => gemm(scope.matrix(3, 4), scope.matrix(4, 2), scope.matrix(4, 2), { transposeA: true }),
  },
  {
    name: 'gemm',
    code: 'shape',
    fragments: ['2×2', '3×2'],
    make: ({ scope }) => gemm(scope.matrix(3, 4), scope.matrix(4, 2), scope.matrix(2, 2)),
  },
  {
    name: 'rowDot',
    code: 'shape',
    fragments: ['3×5', '3×4'],
    make: ({ scope }) => rowDot(scope.matrix(3, 4), scope.matrix(3, 5), scope.matrix(3, 1)),
  },
  {
    name: 'scaleRows',
    code: 'shape',
    fragments: ['4×1', '3×1'],
    make: ({ scope }) => scaleRows(scope.matrix(3, 4), scope.matrix(4, 1), scope.matrix(3, 4)),
  },
  {
    name: 'axpy',
    code: 'shape',
    fragments: ['3×4', '4×3'],
    make: ({ scope }) => axpy(1, scope.matrix(3, 4), scope.matrix(4, 3)),
  },
  {
    name: 'tanh',
    code: 'shape',
    fragments: ['3×4', '4×3'],
    make: ({ scope }) => unary('tanh', scope.matrix(3, 4), scope.matrix(4, 3)),
  },
  {
    name: 'add',
    code: 'shape',
    fragments: ['2×4', '3×4'],
    make: ({ scope }) => binary('add', scope.matrix(3, 4), scope.matrix(2, 4), scope.matrix(3, 4)),
  },
  {
    name: 'sum',
    code: 'shape',
    fragments: ['2×1', '3×4'],
    make: ({ scope }) => reduce('sum', scope.matrix(3, 4), scope.matrix(2, 1)),
  },
  {
    name: 'gatherRows',
    code: 'shape',
    fragments: ['2×4', '1×4'],
    make: (context) => gatherRows(context.scope.table(9, 4), knownIndices(context, [3]), context.scope.matrix(2, 4)),
  },
  {
    name: 'gatherRows',
    code: 'index-out-of-range',
    fragments: ['9', '9 rows'],
    make: (context) => gatherRows(context.scope.table(9, 4), knownIndices(context, [9]), context.scope.matrix(1, 4)),
  },
  {
    name: 'scatterAddRows',
    code: 'index-out-of-range',
    fragments: ['5', '3 rows'],
    make: (context) =>
      scatterAddRows(context.scope.matrix(1, 2), knownIndices(context, [5]), context.scope.matrix(3, 2)),
  },
  {
    name: 'scatterRows',
    code: 'shape',
    fragments: ['1×2', '1×4'],
    make: (context) => scatterRows(context.scope.matrix(1, 2), knownIndices(context, [0]), context.scope.table(3, 4)),
  },
  {
    name: 'writeIndices',
    code: 'index-out-of-range',
    fragments: ['-1', 'position 1'],
    make: (context) => knownIndices(context, [0, -1]),
  },
  {
    name: 'writeIndices',
    code: 'shape',
    fragments: ['3', '2'],
    make: ({ scope }) => writeIndices(Int32Array.of(0, 1, 2), scope.indices(2)),
  },
  {
    name: 'writeRows',
    code: 'index-out-of-range',
    fragments: ['2', '3'],
    make: ({ scope }) => writeRows(new Float32Array(8), 2, scope.table(3, 4)),
  },
  {
    name: 'writeRows',
    code: 'shape',
    fragments: ['7', '4'],
    make: ({ scope }) => writeRows(new Float32Array(7), 0, scope.table(3, 4)),
  },
  {
    name: 'solve',
    code: 'shape',
    fragments: ['3×4'],
    make: ({ scope }) => solve(scope.matrix(3, 4), scope.matrix(3, 1), scope.matrix(3, 1), scope.matrix(1, 1)),
  },
  {
    name: 'solve',
    code: 'shape',
    fragments: ['3×3', '4×1'],
    make: ({ scope }) => solve(scope.matrix(3, 3), scope.matrix(4, 1), scope.matrix(4, 1), scope.matrix(1, 1)),
  },
  {
    name: 'symmetricRank2Update',
    code: 'shape',
    fragments: ['4×4', '3×3'],
    make: ({ scope }) => symmetricRank2Update(scope.matrix(5, 3), scope.matrix(5, 3), scope.matrix(4, 4)),
  },
  {
    name: 'sparseTimesRows',
    code: 'shape',
    fragments: ['1 row indices', '2 column indices'],
    make: (context) => multiplyEntries(context, { rows: [0], columns: [1, 0] }),
  },
  {
    name: 'sparseTimesRows',
    code: 'index-out-of-range',
    fragments: ['5', 'the source has 5 rows'],
    make: (context) => multiplyEntries(context, { rows: [0], columns: [5] }),
  },
  {
    name: 'gatheredRowDot',
    code: 'shape',
    fragments: ['2 indices of a', '1 of b'],
    make: (context) => dotOfPairs(context, [0, 1], [0], 3),
  },
  {
    name: 'gatheredRowDot',
    code: 'shape',
    fragments: ['a has 2 columns', 'b 3'],
    make: (context) => dotOfPairs(context, [0], [0], 3),
  },
  {
    name: 'gatheredRowDot',
    code: 'index-out-of-range',
    fragments: ['5', 'b has 5 rows'],
    make: (context) => dotOfPairs(context, [0], [5], 2),
  },
  {
    name: 'exponentiateRanges',
    code: 'index-out-of-range',
    fragments: ['4', 'the table has 4 rows'],
    make: (context) => softmaxOfRanges(context, [0, 4], [0, 1]),
  },
  {
    name: 'exponentiateRanges',
    code: 'shape',
    fragments: ['1 source indices', '2 ranges'],
    make: (context) => softmaxOfRanges(context, [0, 2], [0]),
  },
  {
    name: 'updateRanges',
    code: 'bad-option',
    fragments: ['range 1 starts at row 1', 'the one before at 0'],
    make: (context) => updateTwoRanges(context, [0, 1]),
  },
  {
    name: 'updateRanges',
    code: 'bad-option',
    fragments: ['range 1 starts at row 0', 'the one before at 2'],
    make: (context) => updateTwoRanges(context, [2, 0]),
  },
  {
    name: 'updateRows',
    code: 'shape',
    fragments: ['gradient is 2×3', 'expected 1×3'],
    make: (context) => updateOneRow(context, { gradientRows: 2, momentColumns: 3, row: 0 }),
  },
  {
    name: 'updateRows',
    code: 'shape',
    fragments: ['moment 0 has 2 columns', 'the table 3'],
    make: (context) => updateOneRow(context, { gradientRows: 1, momentColumns: 2, row: 0 }),
  },
  {
    name: 'updateRows',
    code: 'index-out-of-range',
    fragments: ['4', 'the table has 4 rows'],
    make: (context) => updateOneRow(context, { gradientRows: 1, momentColumns: 3, row: 4 }),
  },
  {
    name: 'updateRows',
    code: 'bad-option',
    fragments: ['momentum has 1 moment', 'got 0'],
    make: (context) => updateOneRow(context, { gradientRows: 1, momentColumns: undefined, row: 0 }),
  },
];

/** Entries times a 5×2 matrix into one of 3×2. */
function multiplyEntries(
  context: CaseContext,
  lists: { readonly rows: readonly number[]; readonly columns: readonly number[] },
): void {
  const { scope } = context;
  const entries = {
    rowIndices: knownIndices(context, lists.rows),
    columnIndices: knownIndices(context, lists.columns),
  };
  sparseTimesRows(entries, scope.matrix(5, 2), scope.matrix(3, 2), (rows, columns) => scope.matrix(rows, columns));
}

/** Rows of a 4×2 matrix with rows of another of 5 rows. */
function dotOfPairs(context: CaseContext, a: readonly number[], b: readonly number[], columns: number): void {
  const { scope } = context;
  const lists = [knownIndices(context, a), knownIndices(context, b)] as const;
  const out = scope.matrix(a.length, 1);
  gatheredRowDot(scope.matrix(4, 2), lists[0], scope.matrix(5, columns), lists[1], out, (rows, width) =>
    scope.matrix(rows, width),
  );
}

/** Ranges of two rows of a 4×3 table, with rows of a 2×3 matrix. */
function softmaxOfRanges(context: CaseContext, starts: readonly number[], sources: readonly number[]): void {
  const { scope, backend } = context;
  const count = starts.length;
  exponentiateRanges(
    scope.table(4, 3),
    knownIndices(context, starts),
    { source: scope.matrix(2, 3), sourceIndices: knownIndices(context, sources) },
    scope.matrix(count, 2),
    scope.matrix(count, 1),
    scope.matrix(count, 1),
    scope.own(new Workspace(backend)),
  );
}

function updateTwoRanges(context: CaseContext, starts: readonly [number, number]): void {
  const { scope, backend } = context;
  const source = { source: scope.matrix(2, 3), sourceIndices: knownIndices(context, [0, 1]) };
  updateRanges(
    scope.matrix(2, 2),
    source,
    knownIndices(context, starts),
    scope.table(4, 3),
    scope.own(new Workspace(backend)),
  );
}

/** One row of a 4×3 table by momentum. */
function updateOneRow(
  context: CaseContext,
  sizes: { readonly gradientRows: number; readonly momentColumns: number | undefined; readonly row: number },
): void {
  const { scope, backend } = context;
  updateRows(
    scope.matrix(sizes.gradientRows, 3),
    knownIndices(context, [sizes.row]),
    scope.table(4, 3),
    sizes.momentColumns === undefined ? [] : [scope.table(4, sizes.momentColumns)],
    { rule: 'momentum', learningRate: 1, momentum: 0.5 },
    scope.own(new Workspace(backend)),
  );
}

const aliased: readonly (readonly [operation: string, make: (context: CaseContext) => unknown])[] = [
  ['gemm', ({ scope }) => ((x) => gemm(x, scope.matrix(3, 3), x))(scope.matrix(3, 3))],
  ['gemm', ({ scope }) => ((x) => gemm(scope.matrix(3, 3), x, x))(scope.matrix(3, 3))],
  ['copy', ({ scope }) => ((x) => copy(x, x))(scope.matrix(3, 3))],
  ['sum', ({ scope }) => ((x) => reduce('sum', x, x))(scope.matrix(3, 1))],
  ['solve', ({ scope }) => ((x) => solve(scope.matrix(3, 3), x, x, scope.matrix(1, 1)))(scope.matrix(3, 1))],
  ['gatherRows', (context) => ((x) => gatherRows(x, knownIndices(context, [0, 1]), x))(context.scope.matrix(2, 2))],
  [
    'scatterAddRows',
    (context) => ((x) => scatterAddRows(x, knownIndices(context, [0, 1]), x))(context.scope.matrix(2, 2)),
  ],
  ['symmetricRank2Update', ({ scope }) => ((x) => symmetricRank2Update(x, scope.matrix(3, 3), x))(scope.matrix(3, 3))],
];

export const errorCases: readonly ConformanceCase[] = [
  ruleCase('errors/shapes-and-ranges', 'operations refuse what does not fit and name both values', async (context) => {
    for (const { name, code, fragments, make } of mistakes) {
      expectThrows(`${name} (${fragments.join(', ')})`, code, [name, ...fragments], () => make(context));
    }
    await Promise.resolve();
  }),
  ruleCase('errors/aliasing', 'gemm, gather, scatter, reduce and solve refuse to work in place', async (context) => {
    for (const [operation, make] of aliased) {
      expectThrows(`${operation} in place`, 'aliasing', [operation], () => make(context));
    }
    await Promise.resolve();
  }),
  ruleCase('errors/non-finite-factors', 'a factor that is not finite is refused', async ({ scope }) => {
    const square = scope.matrix(2, 2);
    const other = scope.matrix(2, 2);
    const out = scope.matrix(2, 2);
    const uses: Readonly<Record<string, (factor: number) => unknown>> = {
      'gemm: alpha': (alpha) => gemm(square, other, out, { alpha }),
      'gemm: beta': (beta) => gemm(square, other, out, { beta }),
      'axpy: alpha': (alpha) => axpy(alpha, square, out),
      'affine: scale': (scale) => affine(square, scale, 0, out),
      'affine: shift': (shift) => affine(square, 1, shift, out),
      'addDiagonal: value': (value) => addDiagonal(value, out),
      'symmetricRank2Update: alpha': (alpha) => symmetricRank2Update(square, other, out, { alpha }),
    };
    for (const [name, use] of Object.entries(uses)) {
      for (const factor of [Number.NaN, Infinity, -Infinity]) {
        expectThrows(`${name} = ${factor}`, 'bad-option', [name, String(factor)], () => use(factor));
      }
    }
    await Promise.resolve();
  }),
  ruleCase('errors/refused-calls-change-nothing', 'a refused call changes nothing', async ({ scope }) => {
    const out = scope.matrix(2, 2);
    write([1, 2, 3, 4], out);
    expectThrows('gemm', 'shape', ['gemm'], () => gemm(scope.matrix(2, 3), scope.matrix(2, 2), out));
    expectThrows('axpy', 'bad-option', ['axpy'], () => axpy(Number.NaN, scope.matrix(2, 2), out));
    expectSame('out after refused calls', await read(out), [1, 2, 3, 4], 2);
  }),
  ruleCase('errors/read', 'read refuses an array that does not fit', async ({ backend, scope }) => {
    const matrix = scope.matrix(2, 3);
    const table = scope.table(4, 2);
    const other = backend.precision === 'f32' ? new Float64Array(6) : new Float32Array(6);
    await expectRejects('read into a short array', 'shape', ['5', '6'], () =>
      read(matrix, createHostArray(backend, 5)),
    );
    await expectRejects('read into another precision', 'bad-option', [backend.precision], () => read(matrix, other));
    await expectRejects('readRows past the end', 'index-out-of-range', ['3', '4'], () => readRows(table, 2, 3));
  }),
];
