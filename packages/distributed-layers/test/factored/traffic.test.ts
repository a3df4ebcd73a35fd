import { expect, it } from 'vitest';
import type { StepTraffic } from '../programs/scenarios/traffic.ts';
import { playOnThreads } from '../run-program.ts';

it.each([
  ['factored', [300, 30_000], 6],
  ['sampled', [300, 30_000], 6],
  // A head of 10 and a root of 30 nodes, with one level below it or three.
  ['hybrid', [310, 30_010], 10],
] as const)(
  'a step of the %s layer moves as much for a hundred times as many classes',
  async (layer, heights, exchanges) => {
    const byRank = await playOnThreads<StepTraffic[]>('traffic', 3, { heights, layer });
    for (const [low, high] of byRank) {
      expect(low?.bytes).toBeGreaterThan(1000);
      expect(low?.messages).toBeLessThanOrEqual(exchanges * 2);
      expect(high).toEqual(low);
    }
  },
);
