/** The fields of an object out of a checkpoint's configuration, checked one by one before anything is made of them. */
import { shown } from '@vastmax/checkpoints';
import { ModelError } from './model-error.ts';

/** What a field must be, and the words for it. */
export interface FieldType {
  readonly needed: string;
  fits(value: unknown): boolean;
}

export type Fields = Readonly<Record<string, FieldType>>;

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 1;
export const isNumbers = (value: unknown): boolean => isObject(value) && Object.values(value).every(isNumber);
export const isText = (value: unknown): boolean => typeof value === 'string';

export const number: FieldType = { needed: 'a number', fits: isNumber };
export const numbers: FieldType = { needed: 'an object of numbers', fits: isNumbers };
export const whole: FieldType = { needed: 'a whole number', fits: Number.isSafeInteger };
export const count: FieldType = { needed: 'a whole number of at least 1', fits: isCount };
export const text: FieldType = { needed: 'a string', fits: isText };
export const truth: FieldType = { needed: 'true or false', fits: (value) => typeof value === 'boolean' };
export const optional = ({ needed, fits }: FieldType): FieldType => ({
  needed: `${needed}, or nothing,`,
  fits: (value) => value === undefined || fits(value),
});

/**
 * @param part where the object is in the configuration.
 * @throws ModelError `state-mismatch` for a field that is missing or of another type.
 */
export function checkFields(part: string, given: Readonly<Record<string, unknown>>, fields: Fields): void {
  for (const [field, { needed, fits }] of Object.entries(fields)) {
    const value = given[field];
    if (fits(value)) continue;
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's configuration: ${part}.${field} is ${value === undefined ? 'missing' : shown(value)}; ${needed} is needed`,
    );
  }
}
