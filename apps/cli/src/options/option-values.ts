/**
 * Parsers of numeric options: return a number in the option's range, or throw a UsageError with the option, its range
 * and the given text.
 */
import { UsageError } from '../terminal/errors.ts';

/** JSON Schema of the values that a parser accepts, for configuration files. */
export type ValueSchema = Readonly<Record<string, unknown>>;

const schemas = new WeakMap<object, ValueSchema>();

/** The schema of a parser of this file; undefined for another parser. */
export function schemaOf(parse: object): ValueSchema | undefined {
  return schemas.get(parse);
}

/** A whole number of at least `minimum`, and of at most `maximum` if given; 2_000_000 and 2e6 are whole numbers too. */
export function wholeNumber(option: string, minimum: number, maximum?: number): (text: string) => number {
  const accepts = (value: number): boolean =>
    Number.isSafeInteger(value) && value >= minimum && value <= (maximum ?? Infinity);
  const description = maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  const schema = { type: 'integer', minimum, ...(maximum === undefined ? {} : { maximum }) };
  return numberWhere(option, `a whole number ${description}`, schema, accepts);
}

/** Whole numbers, separated by commas. */
export function wholeNumbers(option: string, minimum: number): (text: string) => number[] {
  const one = wholeNumber(option, minimum);
  const parse = (text: string): number[] => text.split(',').map((part) => one(part));
  schemas.set(parse, { type: 'array', items: schemaOf(one), minItems: 1 });
  return parse;
}

export function finite(option: string): (text: string) => number {
  return numberWhere(option, 'a number', { type: 'number' }, () => true);
}

export function nonNegative(option: string): (text: string) => number {
  return numberWhere(option, 'a number of at least 0', { type: 'number', minimum: 0 }, (value) => value >= 0);
}

export function positive(option: string): (text: string) => number {
  return numberWhere(option, 'a number above 0', { type: 'number', exclusiveMinimum: 0 }, (value) => value > 0);
}

/** 0.5 or 1. */
export function halfOrOne(option: string): (text: string) => number {
  return numberWhere(option, '0.5 or 1', { enum: [0.5, 1] }, (value) => value === 0.5 || value === 1);
}

/** In [0, 1]. */
export function share(option: string): (text: string) => number {
  return numberWhere(
    option,
    'a number from 0 to 1',
    { type: 'number', minimum: 0, maximum: 1 },
    (value) => value >= 0 && value <= 1,
  );
}

/** In [0, 1). */
/** Above 0 and less than 1. */
export function positiveShareBelowOne(option: string): (text: string) => number {
  return numberWhere(
    option,
    'a number above 0 and less than 1',
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    (value) => value > 0 && value < 1,
  );
}

export function shareBelowOne(option: string): (text: string) => number {
  return numberWhere(
    option,
    'a number of at least 0 and less than 1',
    { type: 'number', minimum: 0, exclusiveMaximum: 1 },
    (value) => value >= 0 && value < 1,
  );
}

function numberWhere(
  option: string,
  description: string,
  schema: ValueSchema,
  accepts: (value: number) => boolean,
): (text: string) => number {
  const parse = (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text.replaceAll('_', ''));
    if (!Number.isFinite(value) || !accepts(value))
      throw new UsageError(`${option} must be ${description}, got '${text}'`);
    return value;
  };
  schemas.set(parse, schema);
  return parse;
}
