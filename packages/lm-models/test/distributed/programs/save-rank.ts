/**
 * One rank of a thread job that saves a good checkpoint, and then three that must be refused: one that rank 1 cannot
 * write, one whose replicas differ, and one that rank 1 writes into another folder.
 */
import { isCommunicatorError, runAsThreadRank } from '@vastmax/collectives';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { isCheckpointError } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { writeDistributedCheckpoint } from '@vastmax/lm-models/distributed';

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

await runAsThreadRank(async (communicator, data): Promise<readonly Refusal[]> => {
  const { rank, size } = communicator;
  const directory = data as string;
  const content = (step: number, value: number, body = 1): Parameters<typeof writeDistributedCheckpoint>[2] => ({
    configuration: { step },
    modules: {
      body: stateOf({}, body),
      output: stateOf({ kind: 'full-softmax', classes: size, shard: { rank, size } }, value),
    },
  });
  const storage = createFileStorage(directory);
  await writeDistributedCheckpoint(communicator, storage, content(1, rank));
  const refusals: Refusal[] = [];
  const attempt = async (where: string, what: ReturnType<typeof content>): Promise<void> => {
    try {
      await writeDistributedCheckpoint(communicator, createFileStorage(where), what);
    } catch (error) {
      if (!isCheckpointError(error) && !isCommunicatorError(error)) throw error;
      refusals.push({ code: error.code, message: error.message });
    }
  };
  await attempt(directory, content(2, rank === 1 ? Number.NaN : rank));
  await attempt(directory, content(3, rank, rank === 1 ? 2 : 1));
  await attempt(rank === 1 ? `${directory}/elsewhere` : directory, content(4, rank));
  return refusals;
});

function stateOf(configuration: ModuleState['configuration'], value: number): ModuleState {
  return {
    configuration,
    tensors: [
      { name: 'classes', precision: 'f32', rows: 1, columns: 1, read: () => Promise.resolve(Float32Array.of(value)) },
    ],
  };
}
