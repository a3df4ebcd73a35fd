/** What the text after an option becomes, or an error that commander shows with the option's name. */
import { availableParallelism } from 'node:os';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { InvalidArgumentError } from 'commander';

/** Underscores and 2e6 are understood. */
export function wholeNumber(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text.replaceAll('_', ''));
    if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new InvalidArgumentError(`expected a whole number ${range}, got '${text}'.`);
  };
}

/** With commas between, each once. */
export function wholeNumbers(minimum: number, maximum?: number): (text: string) => readonly number[] {
  const one = wholeNumber(minimum, maximum);
  return (text) => [...new Set(text.split(',').map((part) => one(part)))];
}

/** No machine is measured with more threads than cores: the figures would say nothing. */
export function threadCount(text: string): number {
  const cores = availableParallelism();
  const threads = wholeNumber(1)(text);
  if (threads > cores)
    throw new InvalidArgumentError(
      `expected a whole number from 1 to ${cores}, the cores of this machine, got '${text}'.`,
    );
  return threads;
}

export function threadCounts(text: string): readonly number[] {
  return [...new Set(text.split(',').map(threadCount))];
}

/** 1, 2 and all cores, as far as there are so many. */
export function defaultThreadCounts(): readonly number[] {
  const cores = availableParallelism();
  return [...new Set([1, Math.min(2, cores), cores])];
}

export function positive(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text.replaceAll('_', ''));
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError(`expected a number above 0, got '${text}'.`);
}

export function lossName(text: string): string {
  if (builtInLossNames.some((name) => name === text)) return text;
  throw new InvalidArgumentError(`expected one of ${builtInLossNames.join(', ')}, got '${text}'.`);
}

export function lossNames(text: string): readonly string[] {
  return [...new Set(text.split(',').map(lossName))];
}

/** More than two gain little at minibatches of 256. */
export function defaultThreads(): number {
  return Math.min(2, availableParallelism());
}

/** Power of a preconditioner. */
export function halfOrOne(text: string): 0.5 | 1 {
  if (text === '0.5' || text === '1') return text === '1' ? 1 : 0.5;
  throw new InvalidArgumentError(`expected 0.5 or 1, got '${text}'.`);
}
