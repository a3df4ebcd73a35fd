import { chooseHeadSize } from '@vastmax/hybrid-layer';
import { expect, it } from 'vitest';

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
