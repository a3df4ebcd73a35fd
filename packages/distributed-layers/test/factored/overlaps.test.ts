import { expect, it } from 'vitest';
import type { ObservedPair, OverlapLayer } from '../programs/scenarios/overlaps.ts';
import { playOnThreads } from '../run-program.ts';

it.each<OverlapLayer>(['factored', 'softmax', 'sampled'])(
  'overlapping calls of the %s layer: all ranks refuse the second, or all make it after the first',
  async (layer) => {
    const answers = await playOnThreads<ObservedPair[]>('overlaps', 2, { layer });
    const [own = [], others = []] = answers;
    expect(others.map(({ what }) => what)).toEqual(own.map(({ what }) => what));
    for (const [i, { what, second }] of own.entries()) {
      const isRefused = second === 'busy';
      expect(others[i]?.second === 'busy', `${what}: all ranks decide alike`).toBe(isRefused);
      for (const pairs of answers) {
        const pair = pairs[i]!;
        expect(pair.first, `${what}: the first`).toBe(pair.firstAlone);
        if (!isRefused) expect(pair.second, `${what}: the second`).toBe(pair.secondAfter);
        expect(pair.weights, `${what}: the weights`).toBe(isRefused ? pair.weightsAfterFirst : pair.weightsAfterBoth);
      }
      if (what.includes(' 0')) expect(isRefused, `${what}: one rank at least was busy`).toBe(true);
      if (what.includes('200 and 200')) expect(isRefused, `${what}: no rank was busy`).toBe(false);
    }
  },
);
