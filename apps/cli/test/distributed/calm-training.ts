/** Runs of the command that end alike whatever the number of ranks, and how that is seen. */
import type { RankingMetrics } from '@vastmax/lm-models/metrics';
import { expect } from 'vitest';
import { vastmax } from '../vastmax.ts';

/** In f64 and with rates at which training is no chaos: runs that add up in another order end alike. */
export const calm =
  '--output-layer factored --order 3 --embedding 8 --hidden 16 --batch 32 --backend plain --precision f64 --body-rate 1 --output-rate 0.1 --schedule constant';

export async function evaluateModel(folder: string, model: string): Promise<RankingMetrics> {
  const { code, stdout, stderr } = await vastmax(folder, `evaluate ${model} valid.txt --json --backend plain`);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { readonly model: RankingMetrics }).model;
}

export function expectAlike(found: RankingMetrics, expected: RankingMetrics): void {
  expect(found.examples).toBe(expected.examples);
  expect(found.meanReciprocalRank).toBeCloseTo(expected.meanReciprocalRank, 8);
  expect(found.loss).toBeCloseTo(expected.loss ?? 0, 6);
}
