import { CodedError, isCodedError } from '@vastmax/linalg-core';

/** What went wrong, for programs; the message says it for people. Codes are stable across versions. */
export type ModelErrorCode =
  /** An option, a name or an argument that is none of those that there are. */
  | 'bad-option'
  /** Two arguments that do not fit together. */
  | 'shape'
  /** A checkpoint of another model, or one that describes none. */
  | 'state-mismatch'
  /** A word that the vocabulary lacks. */
  | 'unknown-word'
  /** What the network at hand cannot do. */
  | 'unsupported'
  /** Training produced NaN or infinity. */
  | 'diverged';

/**
 * Every error that this package throws on purpose, but for those about files (`CheckpointError`) and those that its
 * parts throw themselves. Recognise it with {@link isModelError}.
 */
export class ModelError extends CodedError<ModelErrorCode> {
  override readonly name = 'ModelError';
}

/** True for a ModelError of any copy of this package (its name and a code, not `instanceof`). */
export function isModelError(value: unknown): value is ModelError {
  return isCodedError(value, 'ModelError');
}

/**
 * Calls what knows its options by name and throws RangeError for one that it does not know.
 * @throws ModelError `bad-option` instead.
 */
export function asBadOption<Result>(create: () => Result): Result {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError('bad-option', error.message, { cause: error });
  }
}

/**
 * Training produced NaN or infinity; its code is `diverged`. The weights are those before the step that failed; where
 * an output layer verifies its steps later, as on a GPU, the body is some steps further.
 */
export class TrainingDivergedError extends ModelError {
  readonly step: number;
  readonly bodyRate: number;
  readonly outputRate: number;

  constructor(step: number, bodyRate: number, outputRate: number, cause: Error) {
    super(
      'diverged',
      `training diverged at step ${step} (body rate ${bodyRate.toPrecision(3)}, output rate ${outputRate.toPrecision(3)}): ${cause.message}. ` +
        'Checkpoints are untouched; go on from the last one, or start again, with a lower bodyRate or outputRate (try a quarter)',
      { cause },
    );
    this.step = step;
    this.bodyRate = bodyRate;
    this.outputRate = outputRate;
  }
}
