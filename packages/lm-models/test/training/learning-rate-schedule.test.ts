import { createSchedule, scheduleNames } from '@vastmax/lm-models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('createSchedule', () => {
  it.each([
    ['constant', {}, [1, 1, 1]],
    ['linear', {}, [1, 0.525, 0.05]],
    ['linear', { finalFactor: 0.2 }, [1, 0.6, 0.2]],
    ['cosine', {}, [1, 0.525, 0.05]],
    ['cosine', { finalFactor: 0 }, [1, 0.5, 0]],
  ])('%s %j is %j at the start, in the middle and at the end', (name, options, expected) => {
    const schedule = createSchedule(name, options);
    for (const [place, progress] of [0, 0.5, 1].entries()) expect(schedule(progress)).toBeCloseTo(expected[place]!, 14);
  });

  it('follows half a cosine between', () => {
    expect(createSchedule('cosine', { finalFactor: 0 })(0.25)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 14);
  });

  it.each(scheduleNames)('%s rises from 0 in the warm-up and then runs over the rest', (name) => {
    const schedule = createSchedule(name, { warmup: 0.2 });
    const withoutWarmup = createSchedule(name);
    expect(schedule(0)).toBe(0);
    expect(schedule(0.1)).toBeCloseTo(0.5, 14);
    expect(schedule(0.2)).toBeCloseTo(1, 14);
    expect(schedule(0.6)).toBeCloseTo(withoutWarmup(0.5), 14);
    expect(schedule(1)).toBeCloseTo(withoutWarmup(1), 14);
  });

  it('stays within [0, 1] and holds its ends outside of [0, 1]', () => {
    const options = {
      finalFactor: fc.double({ min: 0, max: 1, noNaN: true }),
      warmup: fc.double({ min: 0, max: 0.99, noNaN: true }),
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...scheduleNames),
        fc.record(options),
        fc.double({ min: -2, max: 3, noNaN: true }),
        (name, given, progress) => {
          const schedule = createSchedule(name, given);
          const factor = schedule(progress);
          expect(factor).toBeGreaterThanOrEqual(0);
          expect(factor).toBeLessThanOrEqual(1 + 1e-15);
          if (progress >= 1) expect(factor).toBe(schedule(1));
          if (progress <= 0) expect(factor).toBe(schedule(0));
        },
      ),
    );
  });

  it('names what is wrong', () => {
    expect(() => createSchedule('step')).toThrow("no schedule is called 'step'; there are constant, linear, cosine");
    expect(() => createSchedule('linear', { finalFactor: 1.5 })).toThrow(
      'schedule: finalFactor must be from 0 to 1, got 1.5',
    );
    expect(() => createSchedule('linear', { finalFactor: Number.NaN })).toThrow('got NaN');
    expect(() => createSchedule('linear', { warmup: 1 })).toThrow(
      'schedule: warmup must be at least 0 and less than 1, got 1',
    );
    expect(() => createSchedule('linear', { warmup: -0.1 })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});
