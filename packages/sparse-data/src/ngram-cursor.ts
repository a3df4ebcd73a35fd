import { parseBatchCursor, type BatchCursor } from './batch-cursor.ts';

/** Where NgramBatches stands: plain JSON for a checkpoint. */
export type NgramCursor = BatchCursor;

/**
 * Checks a cursor that may come from a file.
 * @throws SparseDataError `bad-cursor`.
 */
export function parseNgramCursor(value: unknown, examplesPerEpoch: number): NgramCursor {
  return parseBatchCursor('NgramBatches.seek', value, examplesPerEpoch);
}
