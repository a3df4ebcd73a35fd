import { SparseDataError, type SparseDataErrorCode } from '../errors.ts';

/** `name` is what errors call the input, usually its path. */
export interface NamedInput {
  /** Name of the input in error messages, such as its path; default `input`. */
  readonly name?: string;
}

/** An error about one line (from 1) of an input: `parseXmc: train.txt: line 3: …`. */
export function lineError(
  code: SparseDataErrorCode,
  where: string,
  name: string,
  line: number,
  message: string,
  cause?: unknown,
): SparseDataError {
  return new SparseDataError(code, `${where}: ${name}: line ${line}: ${message}`, cause === undefined ? {} : { cause });
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A finite decimal number, or undefined: Number() would also accept '', ' 1', '0x10' and 'Infinity'. */
export function parseNumber(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A non-negative integer in decimal digits, at most 2^53 − 1, or undefined. */
export function parseCount(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
