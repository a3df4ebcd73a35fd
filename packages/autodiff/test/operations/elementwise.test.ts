import { createMatrixFrom, createPlainBackend, read, Scope } from '@vastmax/linalg-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, divide, multiply, subtract, Tape, type Variable } from '../../src/index.ts';

type Values = readonly number[];
interface Naive {
  readonly value: (a: number, b: number) => number;
  /** ∂/∂a and ∂/∂b. */
  readonly slopes: (a: number, b: number) => [number, number];
}

const backend = createPlainBackend({ precision: 'f64' });
const operations: [string, (a: Variable, b: Variable) => Variable, Naive][] = [
  ['add', add, { value: (a, b) => a + b, slopes: () => [1, 1] }],
  ['subtract', subtract, { value: (a, b) => a - b, slopes: () => [1, -1] }],
  ['multiply', multiply, { value: (a, b) => a * b, slopes: (a, b) => [b, a] }],
  ['divide', divide, { value: (a, b) => a / b, slopes: (a, b) => [1 / b, -a / b / b] }],
];

const size = fc.integer({ min: 0, max: 5 });
const sizes = fc.record({ rows: size, columns: size });
/** Which dimensions of an operand are 1. */
const broadcast = fc.record({ rows: fc.boolean(), columns: fc.boolean() });
const numbers = fc.array(fc.double({ min: 0.25, max: 4, noNaN: true }), { minLength: 25, maxLength: 25 });

function shapeOf(
  full: { rows: number; columns: number },
  ones: { rows: boolean; columns: boolean },
): { rows: number; columns: number } {
  return { rows: ones.rows ? 1 : full.rows, columns: ones.columns ? 1 : full.columns };
}

describe.each(operations)('%s', (_name, operation, naive) => {
  it('agrees with loops on values and gradients for any pair of shapes', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        broadcast,
        broadcast,
        numbers,
        numbers,
        numbers,
        async (full, onesA, onesB, left, right, weights) => {
          using scope = new Scope(backend);
          const tape = scope.own(new Tape(backend));
          const shapeA = shapeOf(full, onesA);
          const shapeB = shapeOf(full, onesB);
          const rows = onesA.rows && onesB.rows ? 1 : full.rows;
          const columns = onesA.columns && onesB.columns ? 1 : full.columns;
          const make = ({ rows: r, columns: c }: { rows: number; columns: number }, values: Values): Variable =>
            tape.variable(scope.own(createMatrixFrom(backend, r, c, values.slice(0, r * c))));
          const a = make(shapeA, left);
          const b = make(shapeB, right);
          const output = operation(a, b);
          expect([output.rows, output.columns]).toEqual([rows, columns]);
          const seed = make({ rows, columns }, weights);
          tape.backward(output, seed.value);

          const value: number[] = [];
          const gradientA = Array.from({ length: shapeA.rows * shapeA.columns }, () => 0);
          const gradientB = Array.from({ length: shapeB.rows * shapeB.columns }, () => 0);
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const atA = (onesA.rows ? 0 : i) * shapeA.columns + (onesA.columns ? 0 : j);
              const atB = (onesB.rows ? 0 : i) * shapeB.columns + (onesB.columns ? 0 : j);
              const [slopeA, slopeB] = naive.slopes(left[atA]!, right[atB]!);
              value.push(naive.value(left[atA]!, right[atB]!));
              gradientA[atA]! += weights[i * columns + j]! * slopeA;
              gradientB[atB]! += weights[i * columns + j]! * slopeB;
            }
          }
          expect(Array.from(await read(output.value))).toEqual(value);
          await expectClose(a, gradientA);
          await expectClose(b, gradientB);
        },
      ),
      { numRuns: 60 },
    );
    expect(backend.memory().matrices).toBe(0);
  });

  it('names both shapes when they do not fit', () => {
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const a = tape.variable(scope.matrix(3, 4));
    for (const [rows, columns] of [
      [4, 4],
      [3, 2],
      [2, 1],
      [1, 3],
    ] as const) {
      expect(() => operation(a, tape.variable(scope.matrix(rows, columns)))).toThrow(
        expect.objectContaining({
          code: 'shape',
          message: expect.stringContaining(`a is 3×4, b is ${rows}×${columns}`),
        }),
      );
    }
  });
});

async function expectClose(variable: Variable, expected: Values): Promise<void> {
  const actual = variable.gradient === undefined ? [] : await read(variable.gradient);
  expect(actual).toHaveLength(expected.length);
  for (const [i, number] of expected.entries())
    expect(Math.abs(actual[i]! - number)).toBeLessThanOrEqual(1e-13 * Math.max(100, Math.abs(number)));
}
