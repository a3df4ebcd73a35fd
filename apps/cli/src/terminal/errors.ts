/** Errors that are printed without a stack trace, and the exit code of each. */
import { isCommunicatorError } from '@vastmax/collectives';
import { isLinalgError } from '@vastmax/linalg-core';
import { isModelError } from '@vastmax/lm-models';
import { isOutputLayerError } from '@vastmax/output-layer';
import { isSparseDataError } from '@vastmax/sparse-data';
import { isStateError } from '@vastmax/linalg-core/state';
import { isCheckpointError } from '@vastmax/checkpoints';

/** A mistake in how the command was called. Exit code 2. */
export class UsageError extends Error {
  readonly code = 'usage';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** The command could not go on, for a reason that the user can fix. Exit code 1. */
export class CommandFailure extends Error {
  readonly code = 'command-failed';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandFailure';
  }
}

/** The message to print, and the exit code. An unexpected error is printed with its stack trace, for a bug report. */
export function describeFailure(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { message: error.message, exitCode: 2 };
  if (!(error instanceof Error)) return { message: String(error), exitCode: 1 };
  if (error.name === 'AbortError') return { message: 'interrupted', exitCode: 130 };
  const isExpected =
    error instanceof CommandFailure ||
    error instanceof RangeError ||
    isModelError(error) ||
    isCheckpointError(error) ||
    isOutputLayerError(error) ||
    isStateError(error) ||
    isSparseDataError(error) ||
    isLinalgError(error) ||
    isCommunicatorError(error);
  return { message: isExpected ? error.message : (error.stack ?? error.message), exitCode: 1 };
}
