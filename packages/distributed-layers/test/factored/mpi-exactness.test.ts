import { expect, it } from 'vitest';
import type { DistributedRun, DistributedRunResult } from '../programs/distributed-run.ts';
import { probeMpi } from '@vastmax/collectives';
import { findLaunchers, requireLauncher, runUnderMpi } from '@vastmax/test-programs';
import { exactnessRuns } from './exactness-runs.ts';

/** The tools' own backend in f32, the plain one in f64. */
const runs = exactnessRuns().map(({ id, options }): DistributedRun => {
  const short = { id, options: { ...options, steps: 60 } };
  return options.precision === 'f32' ? { ...short, backend: 'wasm' } : short;
});

const program = new URL('../programs/mpi-exactness.ts', import.meta.url);
const launchers = findLaunchers(await probeMpi());

it.for(launchers.flatMap((launcher) => [2, 4].map((size) => ({ launcher, size, name: launcher.name }))))(
  '$size ranks of $name equal dense f64 SGD in both precisions, and their replicas each other',
  async ({ launcher, size }, { skip }) => {
    requireLauncher(launcher, (reason) => skip(reason));
    const { code, output } = await runUnderMpi(launcher, program, size, JSON.stringify(runs));
    expect(code, output).toBe(0);
    const byRank = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DistributedRunResult[]);
    expect(byRank).toHaveLength(size);
    for (const results of byRank) {
      expect(results.map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
      for (const [place, result] of results.entries()) {
        expect(
          Math.max(result.weightError, result.gradientError, result.lossError),
          JSON.stringify(result),
        ).toBeLessThan(runs[place]?.options.precision === 'f32' ? 5e-5 : 1e-11);
        expect(result.checksum).toBe(byRank[0]?.[place]?.checksum);
      }
    }
  },
);
