/** What the text after an option becomes: a number in the option's range, or a UsageError that names the option, the range and the text. */
import { UsageError } from './usage-error.ts';

/** From `minimum` up. Underscores and 2e6 are understood. */
export function wholeNumber(option: string, minimum: number): (text: string) => number {
  return numberWhere(option, `a whole number of at least ${minimum}`, (value) => Number.isSafeInteger(value) && value >= minimum);
}

/** Whole numbers with commas between. */
export function wholeNumbers(option: string, minimum: number): (text: string) => number[] {
  const one = wholeNumber(option, minimum);
  return (text) => text.split(',').map((part) => one(part));
}

export function finite(option: string): (text: string) => number {
  return numberWhere(option, 'a number', () => true);
}

export function nonNegative(option: string): (text: string) => number {
  return numberWhere(option, 'a number of at least 0', (value) => value >= 0);
}

export function positive(option: string): (text: string) => number {
  return numberWhere(option, 'a number above 0', (value) => value > 0);
}

/** In [0, 1]. */
export function share(option: string): (text: string) => number {
  return numberWhere(option, 'a number from 0 to 1', (value) => value >= 0 && value <= 1);
}

/** In [0, 1). */
export function shareBelowOne(option: string): (text: string) => number {
  return numberWhere(option, 'a number of at least 0 and less than 1', (value) => value >= 0 && value < 1);
}

function numberWhere(option: string, description: string, accepts: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text.replaceAll('_', ''));
    if (!Number.isFinite(value) || !accepts(value)) throw new UsageError(`${option} must be ${description}, got '${text}'`);
    return value;
  };
}
