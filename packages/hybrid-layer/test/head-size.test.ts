import { chooseHeadSize, chooseHybridSizes } from '@vastmax/hybrid-layer';
import { describe, expect, it } from 'vitest';

const zipf = (classes: number): number[] => Array.from({ length: classes }, (_, k) => 1e6 / (k + 1));

it('may cost four times a factored step', () => {
  expect(chooseHeadSize({ frequencies: zipf(1e5), features: 128, batch: 256 })).toBe(
    Math.floor((4 * (14 * 128 + 8 * 128)) / 6),
  );
  expect(chooseHeadSize({ frequencies: zipf(1e5), features: 300, batch: 128 })).toBe(
    Math.floor((4 * (14 * 300 + 8 * 128)) / 6),
  );
});

it('does not depend on D once there are enough classes', () => {
  const sizes = [1e4, 1e5, 1e6].map((classes) => chooseHeadSize({ frequencies: zipf(classes), features: 128 }));
  expect(new Set(sizes).size).toBe(1);
});

it('stops at 99 % of the occurrences, at classes that occur, and before the last', () => {
  expect(chooseHeadSize({ frequencies: [990, 9, 1, 0, 0], features: 64 })).toBe(1);
  expect(chooseHeadSize({ frequencies: [10, 10, 10, 10], features: 64 })).toBe(3);
  expect(chooseHeadSize({ frequencies: [0, 0], features: 64 })).toBe(1);
});

describe('with a tree', () => {
  it('shares the classes of a head out to the head and the shortlist, where a step costs least', () => {
    const frequencies = zipf(33_278);
    const { headSize, shortlist } = chooseHybridSizes({ frequencies, features: 128 });
    expect(headSize + shortlist).toBe(chooseHeadSize({ frequencies, features: 128 }));
    const total = frequencies.reduce((sum, count) => sum + count, 0);
    const costOf = (size: number): number =>
      size +
      (frequencies.slice(size).reduce((sum, count) => sum + count, 0) / total) * (headSize + shortlist - size + 512);
    const lowest = costOf(headSize);
    for (const size of [1, headSize - 1, headSize + 1, headSize + shortlist])
      expect(costOf(size)).toBeGreaterThanOrEqual(lowest);
    expect(lowest).toBeLessThan(0.75 * costOf(headSize + shortlist));
  });

  it('takes what is given, and gives a spherical tail the whole head', () => {
    const inputs = { frequencies: zipf(33_278), features: 128 };
    expect(chooseHybridSizes({ ...inputs, headSize: 1000 })).toEqual({ headSize: 1000, shortlist: 877 });
    expect(chooseHybridSizes({ ...inputs, headSize: 3000 })).toEqual({ headSize: 3000, shortlist: 0 });
    expect(chooseHybridSizes({ ...inputs, headSize: 1000, shortlist: 5 })).toEqual({ headSize: 1000, shortlist: 5 });
    expect(chooseHybridSizes({ ...inputs, tail: 'spherical' })).toEqual({ headSize: 1877, shortlist: 0 });
    expect(chooseHybridSizes({ frequencies: [0, 0], features: 8 })).toEqual({ headSize: 1, shortlist: 0 });
  });
});
