import { CodedError, isCodedError } from '@vastmax/linalg-core';

/** What went wrong. `diverged` is a training run's NaN or infinity; `non-finite` is one in the caller's own input. */
export type OutputLayerErrorCode =
  'shape' | 'class-out-of-range' | 'non-finite' | 'diverged' | 'bad-option' | 'busy' | 'disposed';

/** Every error that output layers throw on purpose. The layer is unchanged when one is thrown. */
export class OutputLayerError extends CodedError<OutputLayerErrorCode> {
  override readonly name = 'OutputLayerError';
}

/** True for an OutputLayerError of any copy of this package. */
export function isOutputLayerError(value: unknown): value is OutputLayerError {
  return isCodedError(value, 'OutputLayerError');
}
