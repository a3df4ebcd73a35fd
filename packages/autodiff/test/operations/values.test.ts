import { createMatrixFrom, createPlainBackend, read, Scope } from '@vastmax/linalg-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  concatColumns,
  concatRows,
  dropout,
  exp,
  gelu,
  layerNorm,
  log,
  logSoftmax,
  matmul,
  mean,
  negate,
  reciprocal,
  relu,
  reshape,
  rowDot,
  rowSum,
  scale,
  shift,
  sigmoid,
  sliceColumns,
  sliceRows,
  softmax,
  softplus,
  sqrt,
  square,
  sum,
  Tape,
  tanh,
  type Variable,
} from '../../src/index.ts';

const backend = createPlainBackend({ precision: 'f64' });
let scope: Scope;
let tape: Tape;

beforeEach(() => {
  scope = new Scope(backend);
  tape = scope.own(new Tape(backend));
});

afterEach(() => {
  scope[Symbol.dispose]();
});

function variable(rows: number, columns: number, ...values: number[]): Variable {
  return tape.variable(scope.own(createMatrixFrom(backend, rows, columns, values)));
}

async function valuesOf(x: Variable): Promise<number[]> {
  return Array.from(await read(x.value));
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, number] of expected.entries()) expect(actual[i]).toBeCloseTo(number, 13);
}

describe('values', () => {
  it.each([
    ['tanh', tanh, Math.tanh],
    ['sigmoid', sigmoid, (x: number) => 1 / (1 + Math.exp(-x))],
    ['relu', relu, (x: number) => Math.max(0, x)],
    ['softplus', softplus, (x: number) => Math.log(1 + Math.exp(x))],
    ['exp', exp, Math.exp],
    ['square', square, (x: number) => x * x],
    ['negate', negate, (x: number) => -x],
    ['reciprocal', reciprocal, (x: number) => 1 / x],
    ['scale', (x: Variable) => scale(x, 3), (x: number) => 3 * x],
    ['shift', (x: Variable) => shift(x, 3), (x: number) => x + 3],
  ] as const)('%s', async (_name, operation, expected) => {
    const numbers = [-1.5, -0.25, 0.5, 2];
    expectClose(await valuesOf(operation(variable(2, 2, ...numbers))), numbers.map(expected));
  });

  it('log, sqrt and gelu', async () => {
    expectClose(await valuesOf(log(variable(1, 2, 0.5, 3))), [Math.log(0.5), Math.log(3)]);
    expectClose(await valuesOf(sqrt(variable(1, 2, 0.25, 9))), [0.5, 3]);
    // x·Φ(x) with Φ(1) = 0.841344746068543, Φ(−2) = 0.022750131948179
    expectClose(await valuesOf(gelu(variable(1, 2, 1, -2))), [0.841344746068543, -0.045500263896358]);
  });

  it('matmul with its transposes', async () => {
    const a = variable(2, 3, 1, 2, 3, 4, 5, 6);
    const b = variable(3, 1, 1, 0, -1);
    expect(await valuesOf(matmul(a, b))).toEqual([-2, -2]);
    expect(await valuesOf(matmul(b, a, { transposeA: true, transposeB: true }))).toEqual([-2, -2]);
  });

  it('sums', async () => {
    const x = variable(2, 3, 1, 2, 3, 4, 5, 6);
    expect(await valuesOf(sum(x))).toEqual([21]);
    expectClose(await valuesOf(mean(x)), [3.5]);
    expect(await valuesOf(rowSum(x))).toEqual([6, 15]);
    expect(await valuesOf(rowDot(x, x))).toEqual([14, 77]);
    expect(await valuesOf(sum(variable(0, 3)))).toEqual([0]);
  });

  it('columns moved about', async () => {
    const x = variable(2, 3, 1, 2, 3, 4, 5, 6);
    expect(await valuesOf(concatColumns([sliceColumns(x, 1, 2), x]))).toEqual([2, 3, 1, 2, 3, 5, 6, 4, 5, 6]);
    expect(await valuesOf(concatRows([sliceRows(x, 1, 1), x, sliceRows(x, 0, 0)]))).toEqual([
      4, 5, 6, 1, 2, 3, 4, 5, 6,
    ]);
    // Rows are moved with the matrix laid out as one row: its shape must be what it was.
    expect([x.value.rows, x.value.columns]).toEqual([2, 3]);
    const reshaped = reshape(x, 3, 2);
    expect([reshaped.rows, reshaped.columns]).toEqual([3, 2]);
    expect(await valuesOf(reshaped)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('softmax and its logarithm, far from 0 as well', async () => {
    const e = Math.E;
    expectClose(await valuesOf(softmax(variable(2, 2, 0, 1, 1000, 999))), [
      1 / (1 + e),
      e / (1 + e),
      e / (1 + e),
      1 / (1 + e),
    ]);
    expect(await valuesOf(logSoftmax(variable(2, 2, 0, -2000, 3000, 0)))).toEqual([0, -2000, 0, -3000]);
  });

  it('layerNorm, with a mean far larger than the deviation', async () => {
    const gain = variable(1, 4, 1, 2, 1, 1);
    const bias = variable(1, 4, 0, 0, 0, 5);
    const deviation = Math.sqrt(1.25 + 1e-5);
    const expected = [-1.5, -0.5 * 2, 0.5, 1.5].map((centred, i) => centred / deviation + (i === 3 ? 5 : 0));
    expectClose(await valuesOf(layerNorm(variable(1, 4, 1, 2, 3, 4), gain, bias)), expected);
    expectClose(
      await valuesOf(layerNorm(variable(1, 4, 1e12 + 1, 1e12 + 2, 1e12 + 3, 1e12 + 4), gain, bias)),
      expected,
    );
  });
});

describe('dropout', () => {
  it('draws one number an element, row by row, and scales what it keeps', async () => {
    const draws = [0.1, 0.25, 0.9, 0.24, 0.5, 0];
    const x = variable(2, 3, 1, 2, 3, 4, 5, 6);
    const output = dropout(x, { rate: 0.25, random: () => draws.shift() ?? Number.NaN });
    const kept = 1 / 0.75;
    expect(await valuesOf(output)).toEqual([0, 2 * kept, 3 * kept, 0, 5 * kept, 0]);
    expect(draws).toEqual([]);
  });

  it('is the identity for rate 0 and outside training, and draws nothing', () => {
    const x = variable(1, 2, 1, 2);
    const random = (): number => {
      throw new Error('drawn');
    };
    expect(dropout(x, { rate: 0, random })).toBe(x);
    expect(dropout(x, { rate: 0.5, random, training: false })).toBe(x);
  });

  it('draws a fresh mask each time', async () => {
    const x = variable(1, 3, 1, 1, 1);
    const first = dropout(x, { rate: 0.5, random: () => 0.2 });
    const second = dropout(x, { rate: 0.5, random: () => 0.7 });
    expect(await valuesOf(first)).toEqual([0, 0, 0]);
    expect(await valuesOf(second)).toEqual([2, 2, 2]);
  });
});

describe('mistakes', () => {
  it.each<[string, () => unknown, string, string]>([
    ['matmul', () => matmul(variable(1, 2, 1, 2), variable(1, 2, 1, 2)), 'shape', 'a is 1×2, b is 1×2'],
    [
      'matmul transposed',
      () => matmul(variable(2, 1, 1, 2), variable(1, 2, 1, 2), { transposeB: true }),
      'shape',
      'b is 1×2 transposed',
    ],
    ['rowDot', () => rowDot(variable(1, 2, 1, 2), variable(2, 1, 1, 2)), 'shape', 'a is 1×2, b is 2×1'],
    ['mean', () => mean(variable(0, 3)), 'shape', 'x is 0×3'],
    [
      'concatColumns',
      () => concatColumns([variable(1, 1, 1), variable(2, 1, 1, 2)]),
      'shape',
      'the first is 1×1, another is 2×1',
    ],
    ['concatColumns of nothing', () => concatColumns([]), 'bad-option', 'empty'],
    ['sliceColumns', () => sliceColumns(variable(1, 2, 1, 2), 1, 2), 'shape', '2 columns from 1 on'],
    [
      'concatRows',
      () => concatRows([variable(1, 1, 1), variable(1, 2, 1, 2)]),
      'shape',
      'the first is 1×1, another is 1×2; the columns must agree',
    ],
    ['concatRows of nothing', () => concatRows([]), 'bad-option', 'empty'],
    ['sliceRows', () => sliceRows(variable(2, 1, 1, 2), 1, 2), 'shape', '2 rows from 1 on were asked for, x is 2×1'],
    ['reshape', () => reshape(variable(1, 2, 1, 2), 3, 1), 'shape', '3×1 was asked for'],
    ['reshape, negative', () => reshape(variable(1, 2, 1, 2), -1, -2), 'shape', '-1×-2'],
    [
      'layerNorm gain',
      () => layerNorm(variable(1, 2, 1, 2), variable(1, 1, 1), variable(1, 2, 1, 1)),
      'shape',
      'gain is 1×1',
    ],
    [
      'layerNorm bias',
      () => layerNorm(variable(1, 2, 1, 2), variable(1, 2, 1, 1), variable(2, 1, 1, 1)),
      'shape',
      'bias is 2×1',
    ],
    ['layerNorm of nothing', () => layerNorm(variable(1, 0), variable(1, 0), variable(1, 0)), 'shape', 'x is 1×0'],
    [
      'layerNorm epsilon',
      () => layerNorm(variable(1, 1, 1), variable(1, 1, 1), variable(1, 1, 1), { epsilon: 0 }),
      'bad-option',
      'epsilon must be greater than 0',
    ],
    ['dropout', () => dropout(variable(1, 1, 1), { rate: 1, random: Math.random }), 'bad-option', 'got 1'],
    ['scale', () => scale(variable(1, 1, 1), Number.NaN), 'bad-option', 'factor must be a finite number, got NaN'],
    ['shift', () => shift(variable(1, 1, 1), Infinity), 'bad-option', 'got Infinity'],
  ])('%s', (_name, mistake, code, message) => {
    expect(mistake).toThrow(
      expect.objectContaining({ name: 'AutodiffError', code, message: expect.stringContaining(message) }),
    );
  });
});
