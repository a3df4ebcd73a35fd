import { CheckpointError } from '@vastmax/checkpoints';
import type { TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import type { CancellationSignal } from '@vastmax/sparse-data';

/** Numbers of vectors per block. */
const NUMBERS_PER_BLOCK = 2 ** 18;

export interface VectorBlock {
  /** Row of the first vector. */
  readonly first: number;
  readonly count: number;
  /** Row by row; valid until the next block. */
  readonly values: TensorValues;
}

/** The rows of `vectors` by blocks. @throws the signal's reason */
export async function* vectorBlocks(
  vectors: TensorSource,
  signal?: CancellationSignal,
): AsyncGenerator<VectorBlock, void, undefined> {
  const rowsPerBlock = Math.max(1, Math.floor(NUMBERS_PER_BLOCK / Math.max(1, vectors.columns)));
  for (let first = 0; first < vectors.rows; first += rowsPerBlock) {
    signal?.throwIfAborted();
    const count = Math.min(rowsPerBlock, vectors.rows - first);
    yield { first, count, values: await vectors.read(first, count) };
  }
  signal?.throwIfAborted();
}

/** @throws CheckpointError `bad-argument` when the numbers of words and vectors differ */
export function checkWords(where: string, words: readonly string[], vectors: TensorSource): void {
  if (words.length === vectors.rows) return;
  throw new CheckpointError(
    'bad-argument',
    `${where}: there are ${words.length} words and ${vectors.rows} vectors (${vectors.name}); each word needs one`,
  );
}
