import { describe, expect, it } from 'vitest';
import { quantile, scaleSpread, spreadOf } from '../../src/measurement/statistics.ts';

describe('spreadOf', () => {
  it('takes median and quartiles whatever the order', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({
      median: 3,
      lowerQuartile: 2,
      upperQuartile: 4,
      minimum: 1,
      samples: 5,
    });
  });

  it('goes linearly between two ranks', () => {
    expect(spreadOf([10, 20, 30, 40])).toEqual({
      median: 25,
      lowerQuartile: 17.5,
      upperQuartile: 32.5,
      minimum: 10,
      samples: 4,
    });
  });

  it('is one number for one sample, and an error for none', () => {
    expect(spreadOf([7])).toEqual({ median: 7, lowerQuartile: 7, upperQuartile: 7, minimum: 7, samples: 1 });
    expect(() => spreadOf([])).toThrow('there are no samples');
  });
});

describe('quantile', () => {
  it('reaches both ends', () => {
    expect([quantile([1, 2, 9], 0), quantile([1, 2, 9], 1)]).toEqual([1, 9]);
  });
});

describe('scaleSpread', () => {
  it('leaves the count alone', () => {
    expect(scaleSpread(spreadOf([1, 2, 3]), 10)).toEqual({
      median: 20,
      lowerQuartile: 15,
      upperQuartile: 25,
      minimum: 10,
      samples: 3,
    });
  });
});
