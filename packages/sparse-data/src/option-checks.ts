import { SparseDataError } from './errors.ts';

export function checkInteger(where: string, name: string, value: unknown, minimum: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < minimum || (value as number) > maximum) {
    throw new SparseDataError(
      'bad-option',
      `${where}: ${name} is ${show(value)}; an integer in ${minimum}..${maximum} is needed`,
    );
  }
}

/** A value for an error message: quoted, escaped, at most 60 characters of it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
