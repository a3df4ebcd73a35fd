import { CodedError, isCodedError } from '@vastmax/linalg-core';

/** What went wrong. Codes are stable across versions. */
export type TopKErrorCode = 'bad-option' | 'shape' | 'non-finite' | 'index-out-of-range' | 'disposed';

/** Every error that an index throws on purpose. The index is unchanged when one is thrown. */
export class TopKError extends CodedError<TopKErrorCode> {
  override readonly name = 'TopKError';
}

/** True for a TopKError of any copy of this package. */
export function isTopKError(value: unknown): value is TopKError {
  return isCodedError(value, 'TopKError');
}
