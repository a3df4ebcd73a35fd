import type { SparseDataErrorCode } from './errors.ts';
import { SparseDataError } from './errors.ts';

export interface NamedInput {
  /** What to call the input in an error message, such as its path; default `input`. */
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
