/** The solve: the cost of estimating the condition of any system, and of one near the identity, where it is bounded. */
import { type Operands, planSolve } from '@vastmax/gpu-backend-webgpu/testing';
import { createNumbers, limits, ulp, type Experiment } from './experiment.ts';

function createSolve(n: number, columns: number): Experiment {
  const any = createNumbers(n * n, 1);
  const near = any.map((value, i) => (i % (n + 1) === 0 ? 1 : 0) + value / (10 * n));
  const operands = {
    a: any,
    b: createNumbers(n * columns, 2),
    out: new Float32Array(n * columns),
    reciprocalCondition: new Float32Array(1),
  };
  const plan = planSolve(n, columns, limits);
  return {
    kernel: 'solve',
    size: [n, n, columns],
    flops: (2 / 3) * n ** 3 + 2 * n * n * columns,
    operands,
    versions: [
      { name: 'any system', ships: true, plan },
      { name: 'near the identity', ships: true, plan, operands: { ...operands, a: near } },
    ],
    error: (out, { a, b }: Operands) =>
      a === undefined || b === undefined ? Number.NaN : backwardError(out, a, b, n, columns),
  };
}

/** ‖b − a·x‖∞ in units of 8·n·ε·(‖a‖∞‖x‖∞ + ‖b‖∞), the largest of the columns. */
function backwardError(x: Float32Array, a: Float32Array, b: Float32Array, n: number, columns: number): number {
  let normOfA = 0;
  for (let i = 0; i < n; i++)
    normOfA = Math.max(
      normOfA,
      a.subarray(i * n, i * n + n).reduce((sum, value) => sum + Math.abs(value), 0),
    );
  let largest = 0;
  for (let j = 0; j < columns; j++) {
    let [residual, normOfX, normOfB] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      let sum = b[i * columns + j]!;
      for (let p = 0; p < n; p++) sum -= a[i * n + p]! * x[p * columns + j]!;
      if (!(Math.abs(sum) <= residual)) residual = Math.abs(sum);
      normOfX = Math.max(normOfX, Math.abs(x[i * columns + j]!));
      normOfB = Math.max(normOfB, Math.abs(b[i * columns + j]!));
    }
    const error = residual / (8 * n * ulp * (normOfA * normOfX + normOfB));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

export const solveExperiments: Readonly<Record<string, readonly (() => Experiment)[]>> = {
  solve: [() => createSolve(64, 64), () => createSolve(128, 300)],
};
