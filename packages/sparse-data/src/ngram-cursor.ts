import { show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';

/** Where a run of minibatches stands: plain JSON for a checkpoint. */
export interface NgramCursor {
  readonly epoch: number;
  /** Examples of this epoch handed out so far. */
  readonly position: number;
  readonly seed: number;
  /** Examples in an epoch: a cursor only fits the data it was taken over. */
  readonly examples: number;
}

/**
 * Checks a cursor that may come from a file.
 * @throws SparseDataError `bad-cursor`.
 */
export function parseNgramCursor(value: unknown, examplesPerEpoch: number): NgramCursor {
  if (typeof value !== 'object' || value === null) throw bad(`got ${show(value)}; an object as cursor() returns it is needed`);
  const { epoch, position, seed, examples } = value as Partial<Record<keyof NgramCursor, unknown>>;
  if (examples !== examplesPerEpoch) {
    throw bad(`the cursor belongs to data of ${show(examples)} examples, this has ${examplesPerEpoch}; resume with the same text, vocabulary and range`);
  }
  return {
    epoch: integerBelow('epoch', epoch, Number.MAX_SAFE_INTEGER),
    position: integerBelow('position', position, examplesPerEpoch),
    seed: integerBelow('seed', seed, Number.MAX_SAFE_INTEGER + 1),
    examples: examplesPerEpoch,
  };
}

function integerBelow(name: string, value: unknown, limit: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) >= limit) throw bad(`${name} is ${show(value)}; an integer in 0..${limit - 1} is needed`);
  return value as number;
}

function bad(message: string): SparseDataError {
  return new SparseDataError('bad-cursor', `NgramBatches.seek: ${message}`);
}
