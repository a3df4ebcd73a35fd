/** Errors that are printed without a stack trace, and the exit code of each. */
import { isCommunicatorError } from '@vastmax/collectives';
import { isCodedError, isLinalgError } from '@vastmax/linalg-core';
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

/** Options of the packages that have another name here. */
const renamed: Readonly<Record<string, string>> = {
  batchSize: '--batch',
  minimumCount: '--min-count',
  maximumSize: '--max-vocabulary',
};
/** Options that are called so there, and `--head-size` and so on here. */
const shared =
  'headSize headRate tailRate tailLoss priorPower proposalPower initialScale bodyRate outputRate labelSmoothing divValue letterCase weightDecay unobservedWeight precondition clipNorm finalFactor wordNgrams minChars maxChars';
const flags: Readonly<Record<string, string>> = {
  ...renamed,
  ...Object.fromEntries(
    shared.split(' ').map((name) => [name, `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`]),
  ),
};
/** Not in quotation marks, where it is a word of a text. */
const libraryOption = new RegExp(String.raw`(?<!["'\w])(?:${Object.keys(flags).join('|')})(?!["'\w])`, 'g');

/** A message of a package with the command's names of options. */
function withFlags(message: string): string {
  return message.replaceAll(libraryOption, (name) => flags[name] ?? name);
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
    isCommunicatorError(error) ||
    // Of @vastmax/onnx, which only the export loads.
    isCodedError(error, 'OnnxError');
  return { message: isExpected ? withFlags(error.message) : (error.stack ?? error.message), exitCode: 1 };
}
