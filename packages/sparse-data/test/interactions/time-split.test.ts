import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeSplit, timeSplitEnds } from '../../src/interactions/split-interactions.ts';
import { thrownBy } from '../thrown-by.ts';

describe('createTimeSplit', () => {
  it('names the part whose end is the first after a time', () => {
    const partOf = createTimeSplit({ train: 10, none: 10, valid: 20, test: Infinity });
    expect([-Infinity, 9, 10, 19.9, 20, 1e300, Infinity].map(partOf)).toEqual([
      'train',
      'train',
      'valid',
      'valid',
      'test',
      'test',
      'test',
    ]);
  });

  it('refuses ends that fall or leave times without a part', async () => {
    expect(await thrownBy(() => createTimeSplit({ a: 10, b: 9, c: Infinity }))).toBe(
      'bad-split: createTimeSplit: "b" ends at 9, the part before it at 10; ends must not fall',
    );
    expect(await thrownBy(() => createTimeSplit({ a: Number.NaN }))).toBe(
      'bad-split: createTimeSplit: "a" ends at NaN, the part before it at -Infinity; ends must not fall',
    );
    expect(await thrownBy(() => createTimeSplit({ a: 10 }))).toBe(
      'bad-split: createTimeSplit: the last part ends at 10; it must end at Infinity, so that every time has a part',
    );
    expect(await thrownBy(() => createTimeSplit({}))).toContain(
      'bad-split: createTimeSplit: the last part ends at -Infinity',
    );
    expect(await thrownBy(() => createTimeSplit({ a: Infinity })(Number.NaN))).toBe(
      'bad-split: createTimeSplit: time is NaN; a number other than NaN is needed',
    );
  });
});

describe('timeSplitEnds', () => {
  it('gives each part its share of distinct times', () => {
    const times = Array.from({ length: 1000 }, (_, at) => ((at * 377) % 1000) - 500);
    const ends = timeSplitEnds(times, { train: 0.8, valid: 0.1, test: 0.1 });
    expect(ends).toEqual({ train: 300, valid: 400, test: Infinity });
    const partOf = createTimeSplit(ends);
    expect(times.filter((time) => partOf(time) === 'valid')).toHaveLength(100);
  });

  it('never puts a later time into an earlier part, nor equal times into two, and is off a share by ties only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 }),
        fc.nat(100),
        (times, percent) => {
          const share = percent / 100;
          const counted = Math.round(share * times.length);
          const isTied = counted > 0 && [...times].sort((a, b) => a - b)[counted] === Math.min(...times);
          if (isTied) {
            expect(() => timeSplitEnds(times, { early: share, late: 1 - share })).toThrow('"early" would have none');
            return;
          }
          const partOf = createTimeSplit(timeSplitEnds(times, { early: share, late: 1 - share }));
          const early = times.filter((time) => partOf(time) === 'early');
          const late = times.filter((time) => partOf(time) === 'late');
          expect(Math.max(...early)).toBeLessThan(Math.min(...late));
          const wanted = Math.round(share * times.length);
          const ties = late.filter((time) => time === Math.min(...late)).length;
          expect(early.length).toBeLessThanOrEqual(wanted);
          if (early.length < wanted) expect(early.length + ties).toBeGreaterThan(wanted);
        },
      ),
    );
  });

  it('says when equal times leave a part without any', async () => {
    expect(await thrownBy(() => timeSplitEnds([7, 7, 7, 7, 7], { train: 0.8, test: 0.2 }))).toBe(
      'bad-split: timeSplitEnds: "train" would have none of the 5 times instead of 4: 5 of them are 7, and equal times are never divided; use finer times, other shares, or createHashSplit',
    );
    expect(await thrownBy(() => timeSplitEnds([1, 2, 2, 2, 2], { train: 0.2, valid: 0.4, test: 0.4 }))).toContain(
      '"valid" would have none of the 5 times instead of 2: 4 of them are 2',
    );
    expect(timeSplitEnds([1, 2, 2], { train: 0.34, none: 0, test: 0.66 })).toEqual({
      train: 2,
      none: 2,
      test: Infinity,
    });
    expect(timeSplitEnds([1], { train: 0.8, test: 0.2 })).toEqual({ train: Infinity, test: Infinity });
  });

  it('refuses no times and times that are none', async () => {
    expect(await thrownBy(() => timeSplitEnds([], { a: 1 }))).toBe(
      'empty-input: timeSplitEnds: there are no times; at least 1 is needed',
    );
    expect(await thrownBy(() => timeSplitEnds([1, Number.NaN], { a: 1 }))).toBe(
      'non-finite-value: timeSplitEnds: time 1 of 2 is NaN; times must be finite',
    );
    expect(await thrownBy(() => timeSplitEnds([1], { a: 0.5 }))).toBe(
      'bad-split: timeSplitEnds: the shares add up to 0.5; they must add up to 1',
    );
  });
});
