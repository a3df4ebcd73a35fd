/** One rank of a thread job that saves twice: a good checkpoint, and one that rank 1 cannot write. */
import { runAsThreadRank } from '@vastmax/collectives';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { isCheckpointError } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { writeDistributedCheckpoint } from '@vastmax/lm-models/distributed';

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

await runAsThreadRank(async (communicator, data): Promise<Refusal | undefined> => {
  const { rank, size } = communicator;
  const storage = createFileStorage(data as string);
  const content = (step: number, value: number): Parameters<typeof writeDistributedCheckpoint>[2] => ({
    configuration: { step },
    modules: {
      body: stateOf({}, 1),
      output: stateOf({ kind: 'full-softmax', classes: size, shard: { rank, size } }, value),
    },
  });
  await writeDistributedCheckpoint(communicator, storage, content(1, rank));
  try {
    await writeDistributedCheckpoint(communicator, storage, content(2, rank === 1 ? Number.NaN : rank));
    return undefined;
  } catch (error) {
    if (!isCheckpointError(error)) throw error;
    return { code: error.code, message: error.message };
  }
});

function stateOf(configuration: ModuleState['configuration'], value: number): ModuleState {
  return {
    configuration,
    tensors: [
      { name: 'classes', precision: 'f32', rows: 1, columns: 1, read: () => Promise.resolve(Float32Array.of(value)) },
    ],
  };
}
