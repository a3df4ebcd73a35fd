/** Every function of one and of two operands: sampled, at extreme arguments, with NaN, broadcast and in place. */
import { binary, read, unary, type BinaryOperation, type UnaryOperation } from '@vastmax/linalg-core';
import { expectClose } from '../comparison.ts';
import { kernelCase, combine, type CaseContext, type ConformanceCase, type Prepared } from '../conformance-case.ts';
import { knownMatrix, poisonedMatrix, randomMatrix } from '../operands.ts';
import { binaryDefinitions, unaryDefinitions } from '../oracle/functions.ts';
import { elementwiseTolerance } from '../tolerance.ts';

const finiteExtremes = [0, 1e-30, -1e-30, 1e-4, -1e-4, 1, -1, 20, -20, 87, -87, 100, -100, 1e4, -1e4, 1e30, -1e30];

/** Extreme arguments at which the value or limit of the function is unambiguous in floating point. */
function extremesOf(operation: UnaryOperation): readonly number[] {
  switch (operation) {
    case 'gelu':
    case 'geluDerivative':
      return finiteExtremes;
    case 'reciprocal':
      return [...finiteExtremes, Infinity, -Infinity];
    case 'log':
    case 'sqrt':
      return [0, 1e-30, 1e-4, 1, 20, 1e4, 1e30, Infinity, -1];
    default:
      return [...finiteExtremes, Infinity, -Infinity];
  }
}

function prepareUnary(
  context: CaseContext,
  operation: UnaryOperation,
  rows: number,
  columns: number,
  inputs: ArrayLike<number>,
  inPlace: boolean,
): Prepared {
  const { precision } = context.backend;
  const { value, slope, magnitude } = unaryDefinitions[operation];
  const x = knownMatrix(context, rows, columns, inputs);
  const out = inPlace ? x.matrix : poisonedMatrix(context, rows, columns);
  const expected = x.values.map(value);
  const tolerance = Float64Array.from(x.values, (input, i) => {
    const result = expected[i]!;
    if (!Number.isFinite(result) || !Number.isFinite(input)) return 0;
    const conditioning = Math.abs(input * slope(input));
    return elementwiseTolerance(
      precision,
      magnitude === undefined ? Math.abs(result) : magnitude(input),
      Number.isFinite(conditioning) ? conditioning : Math.abs(result),
    );
  });
  return {
    call: () => unary(operation, x.matrix, out),
    check: async () => {
      const got = await read(out);
      const at =
        Array.from(expected, (_, i) => i).find((i) => !(Math.abs(got[i]! - expected[i]!) <= tolerance[i]!)) ?? 0;
      expectClose(`${operation} (first error at x = ${x.values[at] ?? 0})`, got, expected, tolerance, columns);
    },
    operations: rows * columns,
  };
}

function sample(context: CaseContext, operation: UnaryOperation, count: number): Float64Array {
  const [from, to] = unaryDefinitions[operation].domain;
  return Float64Array.from({ length: count }, () => from + ((context.random.uniform() + 1) / 2) * (to - from));
}

const unaryCases = (Object.keys(unaryDefinitions) as UnaryOperation[]).flatMap((operation) => [
  kernelCase(`unary/${operation}/sampled`, 'unary', (context) =>
    combine(
      (
        [
          [1, 1],
          [3, 5],
          [65, 63],
          [0, 4],
        ] as const
      ).map(([rows, columns]) =>
        prepareUnary(context, operation, rows, columns, sample(context, operation, rows * columns), false),
      ),
    ),
  ),
  kernelCase(`unary/${operation}/in-place`, 'unary', (context) =>
    prepareUnary(context, operation, 33, 5, sample(context, operation, 165), true),
  ),
  kernelCase(`unary/${operation}/extremes`, 'unary', (context) => {
    const inputs = extremesOf(operation);
    return prepareUnary(context, operation, 1, inputs.length, inputs, false);
  }),
  kernelCase(`unary/${operation}/nan`, 'unary', (context) => {
    const [low, high] = unaryDefinitions[operation].domain;
    return prepareUnary(context, operation, 1, 3, [Number.NaN, (low + high) / 2, Number.NaN], false);
  }),
]);

type Broadcast = 'full' | 'row' | 'column' | 'scalar';

function prepareBinary(
  context: CaseContext,
  operation: BinaryOperation,
  rows: number,
  columns: number,
  broadcast: Broadcast,
  into: 'out' | 'a' | 'b',
): Prepared {
  const a = randomMatrix(context, rows, columns);
  const bRows = broadcast === 'row' || broadcast === 'scalar' ? 1 : rows;
  const bColumns = broadcast === 'column' || broadcast === 'scalar' ? 1 : columns;
  // Divisors not near 0, so that a quotient stays within range.
  const divisors = context.random.values(bRows * bColumns, 'f64').map((value) => value + Math.sign(value));
  const b = knownMatrix(context, bRows, bColumns, divisors);
  const out = into === 'a' ? a.matrix : into === 'b' ? b.matrix : poisonedMatrix(context, rows, columns);
  const apply = binaryDefinitions[operation];
  const expected = Float64Array.from(a.values, (value, i) => {
    const row = bRows === 1 ? 0 : Math.floor(i / columns);
    const column = bColumns === 1 ? 0 : i % columns;
    return apply(value, b.values[row * bColumns + column]!);
  });
  const tolerance = expected.map((value) => elementwiseTolerance(context.backend.precision, Math.abs(value), 0));
  return {
    call: () => binary(operation, a.matrix, b.matrix, out),
    check: async () =>
      expectClose(
        `${operation} ${rows}×${columns} with ${bRows}×${bColumns}`,
        await read(out),
        expected,
        tolerance,
        columns,
      ),
    operations: rows * columns,
  };
}

const binarySizes = [
  [1, 1],
  [1, 5],
  [5, 1],
  [5, 7],
  [64, 64],
  [65, 63],
  [3, 257],
  [257, 3],
  [0, 3],
  [3, 0],
] as const;
const broadcasts: readonly Broadcast[] = ['full', 'row', 'column', 'scalar'];

const binaryCases = (Object.keys(binaryDefinitions) as BinaryOperation[]).flatMap((operation) => [
  ...broadcasts.map((broadcast) =>
    kernelCase(`binary/${operation}/${broadcast}`, 'binary', (context) =>
      combine(binarySizes.map(([rows, columns]) => prepareBinary(context, operation, rows, columns, broadcast, 'out'))),
    ),
  ),
  kernelCase(`binary/${operation}/in-place`, 'binary', (context) =>
    combine([
      ...broadcasts.map((broadcast) => prepareBinary(context, operation, 33, 17, broadcast, 'a')),
      prepareBinary(context, operation, 33, 17, 'full', 'b'),
    ]),
  ),
  kernelCase(`binary/${operation}/special-numbers`, 'binary', (context) => {
    const left = [Number.NaN, 1, Infinity, -Infinity, 1, 0, Infinity];
    const right = [1, Number.NaN, 2, 2, 0, 0, Infinity];
    const a = knownMatrix(context, 1, left.length, left);
    const b = knownMatrix(context, 1, right.length, right);
    const out = context.scope.matrix(1, left.length);
    const expected = left.map((value, i) => binaryDefinitions[operation](value, right[i]!));
    return {
      call: () => binary(operation, a.matrix, b.matrix, out),
      check: async () =>
        expectClose(`${operation} of special numbers`, await read(out), expected, new Float64Array(left.length)),
      operations: left.length,
    };
  }),
  kernelCase(`binary/${operation}/same-operand-twice`, 'binary', (context) => {
    const a = knownMatrix(context, 2, 2, [1, 2, -3, 4]);
    const expected = [1, 2, -3, 4].map((value) => binaryDefinitions[operation](value, value));
    const tolerance = expected.map((value) => elementwiseTolerance(context.backend.precision, Math.abs(value), 0));
    return {
      call: () => binary(operation, a.matrix, a.matrix, a.matrix),
      check: async () => expectClose(`x ${operation} x into x`, await read(a.matrix), expected, tolerance, 2),
      operations: 4,
    };
  }),
]);

export const elementwiseCases: readonly ConformanceCase[] = [...unaryCases, ...binaryCases];
