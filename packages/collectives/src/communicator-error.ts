/**
 * `aborted`: another rank ended the job. `timeout`: a rank did not reach a call in time. `mismatch`: ranks made
 * different calls or passed different sizes. `mpi`: an MPI function returned an error. `unavailable`: no usable MPI
 * library, or the process was not started as required. `closed`: used after it was closed.
 */
export type CommunicatorErrorCode =
  'aborted' | 'timeout' | 'mismatch' | 'mpi' | 'unavailable' | 'closed' | 'shape' | 'bad-option';

/** Every error that communicators throw on purpose. */
export class CommunicatorError extends Error {
  readonly code: CommunicatorErrorCode;
  /** The collective or MPI function that failed, where one did. */
  readonly call: string | undefined;
  /** The rank that caused the error, if it is known. */
  readonly rank: number | undefined;

  constructor(
    code: CommunicatorErrorCode,
    message: string,
    options: ErrorOptions & { readonly call?: string; readonly rank?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = 'CommunicatorError';
    this.code = code;
    this.call = options.call;
    this.rank = options.rank;
  }
}

/** True for a CommunicatorError of any copy of this package (its name and a code, not `instanceof`). */
export function isCommunicatorError(value: unknown): value is CommunicatorError {
  return value instanceof Error && value.name === 'CommunicatorError' && 'code' in value;
}
