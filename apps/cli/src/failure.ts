import { isCommunicatorError } from '@vastmax/collectives';
import { isLinalgError } from '@vastmax/linalg-core';
import { isOutputLayerError } from '@vastmax/output-layer';
import { isSparseDataError } from '@vastmax/sparse-data';
import { TrainingFailure } from './training-failure.ts';
import { UsageError } from './usage-error.ts';
import { isStateError } from '@vastmax/linalg-core/state';
import { isCheckpointError } from '@vastmax/checkpoints';

/** What to tell a person, and the exit code. An error that nobody foresaw keeps its stack, for a bug report. */
export function describeFailure(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { message: error.message, exitCode: 2 };
  if (!(error instanceof Error)) return { message: String(error), exitCode: 1 };
  if (error.name === 'AbortError') return { message: 'interrupted', exitCode: 130 };
  const isForeseen =
    error instanceof TrainingFailure ||
    error instanceof RangeError ||
    isCheckpointError(error) ||
    isOutputLayerError(error) ||
    isStateError(error) ||
    isSparseDataError(error) ||
    isLinalgError(error) ||
    isCommunicatorError(error);
  return { message: isForeseen ? error.message : (error.stack ?? error.message), exitCode: 1 };
}
