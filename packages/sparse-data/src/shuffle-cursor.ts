import { show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';

/** Where a ShuffleBuffer stands: plain JSON for a checkpoint. */
export interface ShuffleCursor {
  readonly epoch: number;
  /** Items of this epoch handed out so far. */
  readonly position: number;
  readonly seed: number;
  readonly capacity: number;
}

/**
 * Checks a cursor that may come from a file.
 * @throws SparseDataError `bad-cursor`.
 */
export function parseShuffleCursor(value: unknown, expectedCapacity: number): ShuffleCursor {
  if (typeof value !== 'object' || value === null)
    throw bad(`got ${show(value)}; an object as cursor() returns it is needed`);
  const { epoch, position, seed, capacity } = value as Partial<Record<keyof ShuffleCursor, unknown>>;
  if (capacity !== expectedCapacity) {
    throw bad(
      `the cursor belongs to a buffer of capacity ${show(capacity)}, this has ${expectedCapacity}; resume with the same capacity`,
    );
  }
  return {
    epoch: integer('epoch', epoch),
    position: integer('position', position),
    seed: integer('seed', seed),
    capacity: expectedCapacity,
  };
}

function integer(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw bad(`${name} is ${show(value)}; an integer in 0..${Number.MAX_SAFE_INTEGER} is needed`);
  return value as number;
}

function bad(message: string): SparseDataError {
  return new SparseDataError('bad-cursor', `ShuffleBuffer.seek: ${message}`);
}
