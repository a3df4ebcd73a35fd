import { CodedError, isCodedError } from '@vastmax/linalg-core';

/** What went wrong. Codes are stable across versions. */
export type OnnxErrorCode =
  /** A body or an output layer that has no form in ONNX here. */
  | 'unsupported'
  /** An option out of its range. */
  | 'bad-option'
  /** A weight that is NaN or infinite, or that 32 bits cannot hold. */
  | 'non-finite'
  /** Weights that no file can hold as it was asked for. */
  | 'too-large';

/** Every error that this package throws on purpose, but for those of files (`CheckpointError`). */
export class OnnxError extends CodedError<OnnxErrorCode> {
  override readonly name = 'OnnxError';
}

/** True for an OnnxError of any copy of this package. */
export function isOnnxError(value: unknown): value is OnnxError {
  return isCodedError(value, 'OnnxError');
}
