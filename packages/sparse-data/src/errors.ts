// Errors have a `code` and a brand made with Symbol.for. So an error thrown by a second copy of this package (two
// versions in one dependency tree) is recognised too; instanceof would not recognise it.

const brand: unique symbol = Symbol.for('vastmax.sparse-data.error') as never;

/** What went wrong. Codes are stable across versions. */
export type SparseDataErrorCode =
  | 'shape'
  | 'index-out-of-range'
  | 'non-finite-value'
  | 'bad-option'
  | 'bad-cursor'
  | 'bad-random-state'
  | 'bad-vocabulary'
  | 'unknown-token'
  | 'empty-input'
  | 'missing-file'
  | 'not-a-file'
  | 'unreadable-file'
  | 'corrupt-compression'
  | 'line-too-long'
  | 'not-utf8'
  | 'bad-json'
  | 'bad-csv'
  | 'bad-xmc'
  | 'bad-interaction'
  | 'missing-column'
  | 'wrong-count'
  | 'record-too-long'
  | 'bad-split'
  | 'bad-parquet'
  | 'bad-tokenizer'
  | 'bad-features'
  | 'worker-failed';

/**
 * The error that all functions of this package throw for invalid input. The message says what was wrong, both values,
 * and what would be right.
 */
export class SparseDataError extends Error {
  readonly code: SparseDataErrorCode;

  constructor(code: SparseDataErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'SparseDataError';
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a SparseDataError of this or any other copy of the package. */
export function isSparseDataError(value: unknown): value is SparseDataError {
  return typeof value === 'object' && value !== null && brand in value;
}

export function checkInteger(where: string, name: string, value: unknown, minimum: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < minimum || (value as number) > maximum) {
    throw new SparseDataError(
      'bad-option',
      `${where}: ${name} is ${show(value)}; an integer in ${minimum}..${maximum} is needed`,
    );
  }
}

/** Formats a value for an error message: strings are quoted, escaped and cut to 60 characters. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
