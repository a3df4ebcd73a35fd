/** A plan's product against loops in f64. */
import type { GemmSettings } from '@vastmax/linalg-core';
import { createRandom } from '@vastmax/backend-conformance';
import type { KernelDispatch } from '../../src/kernel-dispatch.ts';
import { runPlan } from '../../src/testing/run-plan.ts';

export type Size = readonly [m: number, n: number, k: number];
export type PlanOf = (m: number, n: number, k: number, settings: GemmSettings) => readonly KernelDispatch[];

export const transposes = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
);

/**
 * The largest |got − exact| in units of (k + 3)·ε·Σ|a||b|, which any order of summation keeps below 1. With beta 0 out
 * is NaN before.
 */
export async function errorOfProduct(
  device: GPUDevice,
  planOf: PlanOf,
  [m, n, k]: Size,
  settings: GemmSettings,
): Promise<number> {
  const { transposeA, transposeB, alpha, beta } = settings;
  const random = createRandom(`${m} ${n} ${k} ${JSON.stringify(settings)}`);
  const numbers = (count: number): Float32Array => Float32Array.from(random.values(count, 'f32'));
  const [a, b] = [numbers(m * k), numbers(k * n)];
  const old = beta === 0 ? new Float32Array(m * n).fill(Number.NaN) : numbers(m * n);
  const [got = new Float32Array(0)] = await runPlan(device, planOf(m, n, k, settings), { a, b, out: old }, ['out']);
  let largest = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const kept = beta === 0 ? 0 : beta * old[i * n + j]!;
      let [sum, magnitude] = [kept, Math.abs(kept)];
      for (let p = 0; p < k; p++) {
        const term = alpha * a[transposeA ? p * m + i : i * k + p]! * b[transposeB ? j * k + p : p * n + j]!;
        sum += term;
        magnitude += Math.abs(term);
      }
      const error = Math.abs(got[i * n + j]! - sum) / ((k + 3) * (2 ** -23 * magnitude + 2 ** -126));
      if (!(error <= largest)) largest = error;
    }
  }
  return largest;
}
