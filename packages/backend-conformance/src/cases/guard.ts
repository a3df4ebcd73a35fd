/** The optional guard: under a flag that is not above 0 no kernel writes, under one above 0 each writes as usual. */
import {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  copyColumns,
  fill,
  gatheredRowDot,
  gatherRows,
  gemm,
  guarded,
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
  updateRows,
  Workspace,
  write,
  writeRows,
  type FloatArray,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { expectSame } from '../comparison.ts';
import { optionalCase, type CaseContext, type ConformanceCase } from '../conformance-case.ts';
import { knownIndices, knownMatrix, randomMatrix } from '../operands.ts';

const rule = 'a guard stops every kernel and nothing else';
const size = 19;
const tableRows = 40;

interface KernelCall {
  readonly kernel: string;
  readonly out: Matrix | RowTable;
  readonly call: () => void;
}

/**
 * Every kernel once, each with its own result, which already has values. `numbers` are the same for every call of this
 * function.
 */
function kernelCalls(context: CaseContext, numbers: FloatArray): readonly KernelCall[] {
  const { scope } = context;
  const square = (): Matrix => knownMatrix(context, size, size, numbers).matrix;
  const column = (): Matrix => knownMatrix(context, size, 1, numbers.subarray(0, size)).matrix;
  const table = (): RowTable => {
    const made = scope.table(tableRows, size);
    writeRows(numbers, 3, made);
    return made;
  };
  const x = square();
  const factors = column();
  const rows = knownIndices(context, [5, 2, 5, 21]);
  const exampleRows = knownIndices(context, [0, 18, 3, 3]);
  const distinctRows = knownIndices(context, [5, 2, 0, 21]);
  const workspace = scope.own(new Workspace(context.backend));
  const four = knownMatrix(context, 4, size, numbers.subarray(7, 7 + 4 * size)).matrix;
  const system = square();
  addDiagonal(size, system);
  const matrixCases: readonly (readonly [kernel: string, out: Matrix, call: (out: Matrix) => void])[] = [
    ['fill', square(), (out) => fill(3, out)],
    ['copy', square(), (out) => copy(system, out)],
    ['copyColumns', square(), (out) => copyColumns(system, 2, out, 5, 7)],
    ['addDiagonal', square(), (out) => addDiagonal(1, out)],
    ['gemm', square(), (out) => gemm(x, x, out, { transposeA: true, alpha: 0.5, beta: 1 })],
    ['gemm of a vector', column(), (out) => gemm(x, factors, out)],
    ['rowDot', column(), (out) => rowDot(x, x, out)],
    [
      'gatheredRowDot',
      knownMatrix(context, 4, 1, numbers.subarray(0, 4)).matrix,
      (out) => gatheredRowDot(x, exampleRows, table(), rows, out, (count, width) => scope.matrix(count, width)),
    ],
    ['scaleRows', square(), (out) => scaleRows(x, factors, out)],
    ['axpy', square(), (out) => axpy(2, x, out)],
    ['affine', square(), (out) => affine(x, 2, 1, out)],
    ['unary', square(), (out) => unary('exp', x, out)],
    ['binary', square(), (out) => binary('multiply', x, system, out)],
    ['reduce', column(), (out) => reduce('sum', x, out)],
    [
      'gatherRows',
      knownMatrix(context, 4, size, numbers.subarray(0, 4 * size)).matrix,
      (out) => gatherRows(table(), rows, out),
    ],
    [
      'scatterAddRows',
      knownMatrix(context, 22, size, new Float64Array(22 * size)).matrix,
      (out) => scatterAddRows(four, rows, out, { scale: 2 }),
    ],
    [
      'scatterRows',
      knownMatrix(context, 22, size, new Float64Array(22 * size)).matrix,
      (out) => scatterRows(four, rows, out),
    ],
    ['solve', square(), (out) => solve(system, x, out, scope.matrix(1, 1))],
    ['symmetricRank2Update', square(), (out) => symmetricRank2Update(x, system, out, { beta: 1 })],
  ];
  const tableCases: readonly (readonly [kernel: string, call: (out: RowTable) => void])[] = [
    ['scatterAddRows to a table', (out) => scatterAddRows(four, rows, out)],
    ['scatterRows to a table', (out) => scatterRows(four, rows, out)],
    [
      'sparseTimesRows',
      (out) =>
        sparseTimesRows({ rowIndices: rows, columnIndices: distinctRows }, table(), out, (count, width) =>
          scope.matrix(count, width),
        ),
    ],
    [
      'updateRows',
      (out) => {
        const update = { rule: 'momentum', learningRate: 0.5, momentum: 0.5 } as const;
        updateRows(four, distinctRows, out, [table()], update, workspace);
      },
    ],
  ];
  return [
    ...matrixCases.map(([kernel, out, call]) => ({ kernel, out, call: () => call(out) })),
    ...tableCases.map(([kernel, call]) => {
      const out = table();
      return { kernel, out, call: () => call(out) };
    }),
  ];
}

async function numbersIn(out: Matrix | RowTable): Promise<FloatArray> {
  return 'capacity' in out ? read(out) : readRows(out, 0, out.rows);
}

function flagOf(context: CaseContext, value: number): Matrix {
  return knownMatrix(context, 1, 1, [value]).matrix;
}

export const guardCases: readonly ConformanceCase[] = [
  ...(
    [
      ['zero', 0],
      ['below-zero', -0.25],
      ['nan', Number.NaN],
    ] as const
  ).map(([name, value]) =>
    optionalCase(`guard/held/${name}`, rule, ['guard'], async (context) => {
      const { values } = randomMatrix(context, size, size);
      const tried = kernelCalls(context, values);
      const before = await Promise.all(tried.map(({ out }) => numbersIn(out)));
      guarded(flagOf(context, value), () => {
        for (const { call } of tried) call();
      });
      for (const [i, { kernel, out }] of tried.entries())
        expectSame(`${kernel} under a flag of ${value}`, await numbersIn(out), before[i]!, size);
    }),
  ),
  optionalCase('guard/open', rule, ['guard'], async (context) => {
    const { values } = randomMatrix(context, size, size);
    const free = kernelCalls(context, values);
    const watched = kernelCalls(context, values);
    for (const { call } of free) call();
    guarded(flagOf(context, 1e-30), () => {
      for (const { call } of watched) call();
    });
    for (const [i, { kernel, out }] of watched.entries())
      expectSame(`${kernel} under a flag above 0`, await numbersIn(out), await numbersIn(free[i]!.out), size);
  }),
  optionalCase('guard/as-of-the-call', rule, ['guard'], async (context) => {
    const flag = flagOf(context, 1);
    const first = context.scope.matrix(2, 2);
    const second = context.scope.matrix(2, 2);
    guarded(flag, () => {
      fill(-1, flag);
      fill(7, first);
    });
    guarded(flag, () => {
      fill(1, flag);
      fill(7, second);
    });
    fill(8, second);
    guarded(flag, () => fill(9, second));
    expectSame('written though the flag fell later', await read(first), [7, 7, 7, 7]);
    expectSame('after the guard', await read(second), [8, 8, 8, 8]);
    expectSame('the flag, which was held', await read(flag), [-1]);
  }),
  optionalCase('guard/computed-flag', rule, ['guard'], async (context) => {
    // As in a step: the flag is computed by kernels that were called just before.
    const losses = knownMatrix(context, size, 1, new Float64Array(size).fill(2)).matrix;
    const flag = context.scope.matrix(1, 1);
    const out = context.scope.matrix(size, 1);
    for (const expected of [38, 38]) {
      reduce('sum', losses, flag);
      affine(flag, -1, 39, flag);
      guarded(flag, () => axpy(19, losses, out));
      expectSame('the sum', await read(out), new Float64Array(size).fill(expected));
      fill(4, losses);
    }
  }),
  optionalCase('guard/storage-is-free', rule, ['guard'], async (context) => {
    const matrix = context.scope.matrix(2, 2);
    let made: Matrix | undefined;
    guarded(flagOf(context, 0), () => {
      write([1, 2, 3, 4], matrix);
      made = context.scope.matrix(1, 2);
    });
    expectSame('what the host wrote', await read(matrix), [1, 2, 3, 4]);
    if (made !== undefined) expectSame('a new matrix', await read(made), [0, 0]);
  }),
];
