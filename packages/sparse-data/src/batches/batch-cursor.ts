import { show, SparseDataError } from '../errors.ts';

/** The position in a sequence of minibatches: plain JSON for a checkpoint. */
export interface BatchCursor {
  readonly epoch: number;
  /** Number of examples of this epoch that next() has returned so far. */
  readonly position: number;
  readonly seed: number;
  /** Number of examples in an epoch: a cursor is valid only for the same data. */
  readonly examples: number;
}

/**
 * Checks a cursor that may come from a file.
 * @param where names the operation in an error.
 * @throws SparseDataError `bad-cursor`.
 */
export function parseBatchCursor(where: string, value: unknown, examplesPerEpoch: number): BatchCursor {
  const { epoch, position, seed, examples } = cursorFields(where, value);
  if (examples !== examplesPerEpoch) {
    throw badCursor(
      where,
      `the cursor belongs to data of ${show(examples)} examples, this has ${examplesPerEpoch}; resume with the same text, vocabulary and range`,
    );
  }
  return {
    epoch: integerBelow(where, 'epoch', epoch, Number.MAX_SAFE_INTEGER),
    position: integerBelow(where, 'position', position, examplesPerEpoch),
    seed: integerBelow(where, 'seed', seed, Number.MAX_SAFE_INTEGER + 1),
    examples: examplesPerEpoch,
  };
}

/** @throws SparseDataError `bad-cursor` for anything but an object. */
export function cursorFields(where: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    throw badCursor(where, `got ${show(value)}; an object as cursor() returns it is needed`);
  return value as Readonly<Record<string, unknown>>;
}

/** @throws SparseDataError `bad-cursor`. */
export function integerBelow(where: string, name: string, value: unknown, limit: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) >= limit) {
    throw badCursor(where, `${name} is ${show(value)}; an integer in 0..${limit - 1} is needed`);
  }
  return value as number;
}

export function badCursor(where: string, message: string): SparseDataError {
  return new SparseDataError('bad-cursor', `${where}: ${message}`);
}
