import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  defaultThreadCounts,
  lossNames,
  positive,
  threadCount,
  threadCounts,
  wholeNumber,
  wholeNumbers,
} from '../../src/reporting/option-values.ts';

describe('option values', () => {
  it('reads whole numbers with underscores and exponents', () => {
    expect([wholeNumber(1)('10_000'), wholeNumber(1)('2e6'), wholeNumber(0, 9)('0')]).toEqual([10_000, 2_000_000, 0]);
    expect(wholeNumbers(1)('10,20,10')).toEqual([10, 20]);
  });

  it.each(['', ' ', '1.5', '0', '-1', 'x', 'Infinity'])("says what is wrong with '%s' as a whole number", (text) => {
    expect(() => wholeNumber(1)(text)).toThrow(`expected a whole number of at least 1, got '${text}'.`);
  });

  it('names the range', () => {
    expect(() => wholeNumber(1, 9)('10')).toThrow("expected a whole number from 1 to 9, got '10'.");
    expect(() => wholeNumbers(1)('3,,4')).toThrow("got ''.");
    expect(() => positive('0')).toThrow("expected a number above 0, got '0'.");
    expect(positive('0.5')).toBe(0.5);
  });

  it('allows as many threads as there are cores', () => {
    const cores = availableParallelism();
    expect(threadCount(String(cores))).toBe(cores);
    expect(() => threadCount(String(cores + 1))).toThrow(
      `from 1 to ${cores}, the cores of this machine, got '${cores + 1}'.`,
    );
    expect(threadCounts('1,1')).toEqual([1]);
    expect(defaultThreadCounts()[0]).toBe(1);
    expect(Math.max(...defaultThreadCounts())).toBe(cores);
  });

  it('knows the losses', () => {
    expect(lossNames('z-loss,squared-error')).toEqual(['z-loss', 'squared-error']);
    expect(() => lossNames('z-loss,y-loss')).toThrow(
      "expected one of z-loss, spherical-softmax, taylor-softmax, squared-error, implicit, rg2, rgx, got 'y-loss'.",
    );
  });
});
