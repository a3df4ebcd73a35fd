import { createSingleCommunicator } from '@vastmax/collectives';
import { expect, it } from 'vitest';
import { runDistributed, type DistributedRun, type DistributedRunResult } from '../programs/distributed-run.ts';
import { runOnThreads } from '../run-program.ts';
import { exactnessRuns } from './exactness-runs.ts';

async function trainOn(size: number, runs: readonly DistributedRun[]): Promise<DistributedRunResult[][]> {
  if (size > 1) return (await runOnThreads('thread-exactness', size, runs)) as DistributedRunResult[][];
  const results: DistributedRunResult[] = [];
  for (const run of runs) results.push(await runDistributed(createSingleCommunicator(), run));
  return [results];
}

const runs = exactnessRuns();
const doubles = runs.filter(({ options }) => options.precision === 'f64');

it.each([
  [1, runs],
  [2, runs],
  [3, doubles],
  [4, doubles],
])('the global batch of %i ranks equals dense f64 SGD, and its replicas each other', async (size, ofSize) => {
  const byRank = await trainOn(size, ofSize);
  expect(byRank).toHaveLength(size);
  for (const [rank, results] of byRank.entries()) {
    for (const [place, { id, options }] of ofSize.entries()) {
      const result = results[place];
      const bound = options.precision === 'f64' ? 1e-11 : 5e-5;
      const what = `${id}, rank ${rank} of ${size}: ${JSON.stringify(result)}`;
      expect(result?.weightError, what).toBeLessThan(bound);
      expect(result?.gradientError, what).toBeLessThan(bound);
      expect(result?.lossError, what).toBeLessThan(bound);
      expect(result?.movement, what).toBeGreaterThan(0.02);
      if (id.startsWith('rebases')) expect(result?.counters.rebases, what).toBeGreaterThan(5);
      if (id.startsWith('singular')) expect(result?.counters.singularSteps, what).toBe(10);
      expect(result?.counters.replicaRepairs, what).toBe(0);
      expect(result?.checksum, what).toBe(byRank[0]?.[place]?.checksum);
    }
  }
});
