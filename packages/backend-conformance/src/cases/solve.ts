/**
 * Small systems. A solution is checked by its backward error ‖b − a·x‖∞ ≤ 8·n·ε·(‖a‖∞‖x‖∞ + ‖b‖∞), which elimination
 * with partial pivoting satisfies for every matrix without large element growth (Higham, 2nd ed., §9.3), however
 * ill-conditioned. The estimate of the condition is compared with the true inverse.
 */
import { read, solve, type FloatArray } from '@vastmax/linalg-core';
import { ConformanceFailure, expectTrue } from '../comparison.ts';
import {
  kernelCase,
  ruleCase,
  combine,
  type CaseContext,
  type ConformanceCase,
  type Prepared,
} from '../conformance-case.ts';
import { knownMatrix, poisonedMatrix, randomMatrix, type KnownMatrix } from '../operands.ts';
import { reciprocalConditionOf } from '../oracle/inverse.ts';
import { epsilonOf } from '../tolerance.ts';

const allowedGrowth = 8;

function largestRow(values: ArrayLike<number>, rows: number, columns: number): number {
  let largest = 0;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.abs(values[i * columns + j]!);
    largest = Math.max(largest, sum);
  }
  return largest;
}

function checkBackward(what: string, a: KnownMatrix, b: KnownMatrix, x: ArrayLike<number>, epsilon: number): void {
  const n = a.matrix.rows;
  const { columns } = b.matrix;
  const normA = largestRow(a.values, n, n);
  for (let j = 0; j < columns; j++) {
    let residual = 0;
    let normX = 0;
    let normB = 0;
    for (let i = 0; i < n; i++) {
      let sum = b.values[i * columns + j]!;
      for (let p = 0; p < n; p++) sum -= a.values[i * n + p]! * x[p * columns + j]!;
      // A maximum must not hide a NaN.
      if (!Number.isFinite(sum)) throw new ConformanceFailure(`${what}: column ${j} of the solution is not finite`);
      residual = Math.max(residual, Math.abs(sum));
      normX = Math.max(normX, Math.abs(x[i * columns + j]!));
      normB = Math.max(normB, Math.abs(b.values[i * columns + j]!));
    }
    const allowed = allowedGrowth * n * epsilon * (normA * normX + normB);
    if (residual > allowed) {
      throw new ConformanceFailure(
        `${what}: column ${j} has ‖b − a·x‖∞ = ${residual.toExponential(2)}, allowed 8·n·ε·(‖a‖‖x‖ + ‖b‖) = ${allowed.toExponential(2)}`,
      );
    }
  }
}

/**
 * The estimate may be too optimistic, by less than a factor of ten, because the estimated norm of a⁻¹ is a lower bound.
 * Near the identity the estimate may be a bound instead, too pessimistic by at most 9/7, and the excess of the
 * condition over 1 must be at least half the true excess: a layer multiplies the conditions of thousands of steps.
 */
function checkCondition(what: string, estimate: number, a: KnownMatrix, epsilon: number): void {
  const n = a.matrix.rows;
  const exact = reciprocalConditionOf(a.values, n);
  const tolerance = (allowedGrowth * n * epsilon) / exact;
  const isNear = distanceFromIdentity(a.values, n) <= 1 / 8;
  const lowest = ((isNear ? 7 / 9 : 1) * exact) / (1 + tolerance);
  const highest = (isNear ? 2 / (1 + 1 / exact) : 10 * exact) * (1 + tolerance);
  if (!(estimate >= lowest && estimate <= highest)) {
    throw new ConformanceFailure(
      `${what}: reciprocalCondition is ${estimate}, the true one ${exact.toExponential(3)}; expected ${lowest.toExponential(3)} to ${highest.toExponential(3)}`,
    );
  }
}

/** ‖I − a‖₁. */
function distanceFromIdentity(a: FloatArray, n: number): number {
  let largest = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(Number(i === j) - a[i * n + j]!);
    largest = Math.max(largest, sum);
  }
  return largest;
}

function prepareSolve(context: CaseContext, what: string, a: KnownMatrix, columns: number): Prepared {
  const n = a.matrix.rows;
  const epsilon = epsilonOf(context.backend.precision);
  const b = randomMatrix(context, n, columns);
  const out = poisonedMatrix(context, n, columns);
  const reciprocalCondition = poisonedMatrix(context, 1, 1);
  return {
    call: () => solve(a.matrix, b.matrix, out, reciprocalCondition),
    check: async () => {
      const name = `solve ${what}, n=${n}, ${columns} right-hand sides`;
      const estimate = (await read(reciprocalCondition))[0]!;
      checkBackward(name, a, b, await read(out), epsilon);
      if (n > 0) checkCondition(name, estimate, a, epsilon);
    },
    operations: (2 / 3) * n ** 3 + 2 * n * n * columns,
  };
}

/** Uniform entries with rows or columns scaled over `decades` powers of ten. */
function gradedMatrix(context: CaseContext, n: number, decades: number): KnownMatrix {
  const values = context.random.values(n * n, 'f64').map((value, i) => {
    const row = Math.floor(i / n);
    return value * 10 ** ((-decades * row) / Math.max(1, n - 1));
  });
  return knownMatrix(context, n, n, values);
}

const singular: readonly (readonly [name: string, n: number, values: readonly number[]])[] = [
  ['zero', 3, new Array<number>(9).fill(0)],
  ['a zero column', 3, [1, 0, 2, 3, 0, 1, 1, 0, 4]],
  ['a zero row', 3, [1, 2, 4, 0, 0, 0, 2, 1, 1]],
  ['equal rows', 3, [1, 2, 4, 1, 2, 4, 2, 1, 1]],
  ['rank one', 2, [1, 2, 2, 4]],
  ['one by one', 1, [0]],
];

export const solveCases: readonly ConformanceCase[] = [
  kernelCase('solve/random', 'solve', (context) =>
    combine(
      (
        [
          [1, 1],
          [2, 1],
          [3, 4],
          [4, 3],
          [5, 5],
          [31, 2],
          [64, 65],
          [65, 64],
          [97, 1],
        ] as const
      ).map(([n, columns]) => prepareSolve(context, 'random', randomMatrix(context, n, n), columns)),
    ),
  ),
  kernelCase('solve/needs-pivoting', 'solve', (context) => {
    // A zero and a tiny leading entry: without row exchanges the first divides by zero and the second loses everything.
    const tiny = epsilonOf(context.backend.precision) / 16;
    const reversed = Float64Array.from({ length: 36 }, (_, i) => (i % 6 === 5 - Math.floor(i / 6) ? 2 : 0));
    return combine([
      prepareSolve(context, 'with a zero pivot', knownMatrix(context, 3, 3, [0, 1, 2, 1, 0, 3, 2, 1, 0]), 2),
      prepareSolve(context, 'with a tiny pivot', knownMatrix(context, 2, 2, [tiny, 1, 1, 1]), 3),
      prepareSolve(context, 'of a reversed diagonal', knownMatrix(context, 6, 6, reversed), 2),
    ]);
  }),
  kernelCase('solve/ill-conditioned', 'solve', (context) =>
    combine(
      [2, 4].map((decades) =>
        prepareSolve(context, `graded over 10^${decades}`, gradedMatrix(context, 20, decades), 3),
      ),
    ),
  ),
  kernelCase('solve/update-of-identity', 'solve', (context) => {
    // The systems of the output layer: I − ηA with a symmetric A, also so near to I that a backend may use a bound
    // instead of an estimate of the condition.
    const n = 33;
    const factor = context.random.values(n * 3, 'f64');
    return combine(
      [0.05, 0.001].map((rate) => {
        const values = Float64Array.from({ length: n * n }, (_, index) => {
          const i = Math.floor(index / n);
          const j = index % n;
          let sum = i === j ? 1 : 0;
          for (let p = 0; p < 3; p++) sum -= rate * factor[i * 3 + p]! * factor[j * 3 + p]!;
          return sum;
        });
        return prepareSolve(context, `I − ${rate}A`, knownMatrix(context, n, n, values), n);
      }),
    );
  }),
  kernelCase('solve/empty', 'solve', (context) => {
    const none = prepareSolve(context, 'of nothing', randomMatrix(context, 0, 0), 3);
    const noColumns = prepareSolve(context, 'without a right-hand side', randomMatrix(context, 4, 4), 0);
    return combine([none, noColumns]);
  }),
  ruleCase('solve/operands-stay', 'solve writes out and reciprocalCondition alone', async (context) => {
    const a = randomMatrix(context, 6, 6);
    const b = randomMatrix(context, 6, 2);
    solve(a.matrix, b.matrix, context.scope.matrix(6, 2), context.scope.matrix(1, 1));
    const [left, right] = [await read(a.matrix), await read(b.matrix)];
    expectTrue(
      'solve changed a',
      left.every((value, i) => value === a.values[i]),
    );
    expectTrue(
      'solve changed b',
      right.every((value, i) => value === b.values[i]),
    );
  }),
  ruleCase(
    'solve/singular-has-condition-zero',
    'a singular matrix has reciprocalCondition exactly 0',
    async (context) => {
      for (const [name, n, values] of singular) {
        const a = knownMatrix(context, n, n, values);
        const b = randomMatrix(context, n, 1);
        const reciprocalCondition = poisonedMatrix(context, 1, 1);
        solve(a.matrix, b.matrix, context.scope.matrix(n, 1), reciprocalCondition);
        const got = (await read(reciprocalCondition))[0]!;
        expectTrue(`reciprocalCondition of a singular matrix (${name}) is ${got}, expected exactly 0`, got === 0);
      }
    },
  ),
  ruleCase('solve/condition-tracks-a-diagonal', 'reciprocalCondition follows the matrix', async (context) => {
    const epsilon = epsilonOf(context.backend.precision);
    for (const smallest of [1, 0.95, 0.1, 1e-3, 1e-5]) {
      const a = knownMatrix(context, 4, 4, [1, 0, 0, 0, 0, smallest, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
      const reciprocalCondition = poisonedMatrix(context, 1, 1);
      solve(a.matrix, randomMatrix(context, 4, 1).matrix, context.scope.matrix(4, 1), reciprocalCondition);
      checkCondition(`diagonal with ${smallest}`, (await read(reciprocalCondition))[0]!, a, epsilon);
    }
  }),
];
