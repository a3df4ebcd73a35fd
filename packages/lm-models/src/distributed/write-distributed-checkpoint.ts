/**
 * One checkpoint of all ranks: all ranks write their shards of the output layer at the same time; then rank 0 writes
 * the data that is the same on every rank, and finally, atomically, the file that makes the checkpoint valid. When a
 * rank fails, all ranks throw, and the earlier checkpoint stays valid.
 */
import { gatherJson, type Communicator } from '@vastmax/collectives';
import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  CheckpointError,
  discardCheckpointPart,
  isCheckpointError,
  lockStorage,
  writeCheckpoint,
  writeCheckpointPart,
  type CheckpointContent,
  type CheckpointErrorCode,
  type CheckpointPart,
  type CheckpointStorage,
} from '@vastmax/checkpoints';
import { gatherStreams } from './recurrent-streams.ts';
import { splitModules } from './sharded-modules.ts';

interface Outcome {
  readonly part?: CheckpointPart;
  readonly failure?: { readonly code: CheckpointErrorCode; readonly message: string };
}

/**
 * Writes the checkpoint. A collective.
 * @param storage the same on every rank: a folder of a file system that all ranks can access.
 * @param content of this rank: its shards of the sharded modules, and the replicated modules.
 * @throws CheckpointError on every rank when one could not write, or another run holds the storage (`locked`); the
 * message names the rank.
 */
export async function writeDistributedCheckpoint(
  communicator: Communicator,
  storage: CheckpointStorage,
  content: CheckpointContent,
): Promise<void> {
  const { rank, size } = communicator;
  const { own, replicated } = splitModules(content.modules);
  if (size === 1) {
    await writeCheckpoint(storage, { ...content, modules: replicated });
    return;
  }
  const modules: Record<string, ModuleState> = {};
  for (const [name, state] of Object.entries(replicated)) modules[name] = await gatherStreams(communicator, state);
  // Rank 0 commits, so it keeps other runs from clearing the parts away meanwhile.
  let lock: AsyncDisposable | undefined;
  const mine = await outcomeOf(async () => {
    if (rank === 0) lock = await lockStorage(storage);
    return { part: await writeCheckpointPart(storage, own) };
  });
  try {
    await commitParts(communicator, storage, { ...content, modules }, mine);
  } finally {
    await lock?.[Symbol.asyncDispose]();
  }
}

async function commitParts(
  communicator: Communicator,
  storage: CheckpointStorage,
  content: CheckpointContent,
  mine: Outcome,
): Promise<void> {
  const { rank, size } = communicator;
  const written = gatherJson(communicator, mine);
  let failed = firstFailure(written);
  if (failed === undefined) {
    const parts = written.flatMap(({ part }) => (part === undefined ? [] : [part]));
    const commit = async (): Promise<Outcome> => {
      if (rank === 0) await writeCheckpoint(storage, content, { parts });
      return {};
    };
    failed = firstFailure(gatherJson(communicator, await outcomeOf(commit)));
  }
  if (failed === undefined) return;
  if (mine.part !== undefined) await discardCheckpointPart(storage, mine.part);
  throw new CheckpointError(failed.code, `rank ${failed.rank} of ${size}: ${failed.message}`);
}

/** An error that is no CheckpointError is thrown, and aborts the job. */
async function outcomeOf(action: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await action();
  } catch (error) {
    if (!isCheckpointError(error)) throw error;
    return { failure: { code: error.code, message: error.message } };
  }
}

function firstFailure(
  outcomes: readonly Outcome[],
): (NonNullable<Outcome['failure']> & { readonly rank: number }) | undefined {
  for (const [rank, { failure }] of outcomes.entries()) if (failure !== undefined) return { ...failure, rank };
  return undefined;
}
