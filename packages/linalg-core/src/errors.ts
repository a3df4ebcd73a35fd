/** What went wrong, for programs; the message says it for people. Codes are stable across versions. */
export type LinalgErrorCode =
  | 'shape'
  | 'disposed'
  | 'aliasing'
  | 'backend-mismatch'
  | 'index-out-of-range'
  | 'out-of-memory'
  | 'device-lost'
  | 'bad-option';

/** Every error that linalg-core and the backends throw on purpose. Recognise it with {@link isLinalgError}. */
export class LinalgError extends Error {
  readonly code: LinalgErrorCode;

  constructor(code: LinalgErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LinalgError';
    this.code = code;
  }
}

/** True for a LinalgError of any copy of this package (its name and a code, not `instanceof`). */
export function isLinalgError(value: unknown): value is LinalgError {
  return value instanceof Error && value.name === 'LinalgError' && 'code' in value;
}
