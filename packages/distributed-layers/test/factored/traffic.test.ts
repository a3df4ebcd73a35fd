import { expect, it } from 'vitest';
import type { StepTraffic } from '../programs/scenarios/traffic.ts';
import { playOnThreads } from '../run-program.ts';

it.each(['factored', 'sampled'] as const)(
  'a step of the %s layer moves as much for 300 classes as for 30,000',
  async (layer) => {
    const byRank = await playOnThreads<StepTraffic[]>('traffic', 3, { heights: [300, 30_000], layer });
    for (const [low, high] of byRank) {
      expect(low?.bytes).toBeGreaterThan(1000);
      expect(low?.messages).toBeLessThanOrEqual(6 * 2);
      expect(high).toEqual(low);
    }
  },
);
