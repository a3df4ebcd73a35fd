import { CheckpointError, isCheckpointError } from '../errors.ts';

/** The CheckpointError that an action rejects with. @throws what else it rejects with, or Error when it does not. */
export async function failureOf(action: () => unknown): Promise<CheckpointError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CheckpointError && isCheckpointError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
