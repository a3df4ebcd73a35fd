/**
 * What went wrong, for programs. `diverged` is a training run's NaN or infinity; `non-finite` is one in the caller's
 * own input.
 */
export type OutputLayerErrorCode =
  'shape' | 'class-out-of-range' | 'non-finite' | 'diverged' | 'bad-option' | 'busy' | 'disposed';

/** Every error that output layers throw on purpose. The layer is unchanged when one is thrown. */
export class OutputLayerError extends Error {
  readonly code: OutputLayerErrorCode;

  constructor(code: OutputLayerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutputLayerError';
    this.code = code;
  }
}

/** True for an OutputLayerError of any copy of this package (its name and a code, not `instanceof`). */
export function isOutputLayerError(value: unknown): value is OutputLayerError {
  return value instanceof Error && value.name === 'OutputLayerError' && 'code' in value;
}
