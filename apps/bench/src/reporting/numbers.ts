/** Numbers for tables. */
import type { Spread } from '../measurement/statistics.ts';

/** Three digits, as many as a timing is worth: 0.0123, 4.56, 789, 1234. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(digits);
}

/** `4.56 (4.50 … 4.71)`: the median and the quartiles. */
export function withSpread({ median, lowerQuartile, upperQuartile }: Spread): string {
  return `${figure(median)} (${figure(lowerQuartile)} … ${figure(upperQuartile)})`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** 10,000. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** For what could not be measured. */
export const missing = '–';

export function figureOr(value: number | null): string {
  return value === null ? missing : figure(value);
}

/** Two digits: 3.4e-14. */
export function scientific(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}
