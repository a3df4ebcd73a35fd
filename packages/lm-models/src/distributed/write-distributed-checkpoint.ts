/**
 * One checkpoint of all ranks: all ranks write their shards of the output layer at the same time; then rank 0 writes
 * the data that is the same on every rank, and finally, atomically, the file that makes the checkpoint valid. When a
 * rank fails, all ranks throw, and the earlier checkpoint stays valid.
 */
import { compareRanks, gatherJson, type Communicator } from '@vastmax/collectives';
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
import { replicaChecksums } from './compare-training.ts';
import { gatherStreams } from './recurrent-streams.ts';
import { splitModules } from './sharded-modules.ts';

interface Outcome {
  readonly part?: CheckpointPart;
  readonly failure?: { readonly code: CheckpointErrorCode; readonly message: string };
}

/** `allowDrift` writes a checkpoint although replicas differ. */
export interface DistributedCheckpointOptions {
  /** Save what rank 0 has, without comparing it with the other ranks: for training that repairs drift. */
  readonly allowDrift?: boolean;
}

/**
 * Writes the checkpoint. A collective. Every rank reads the replicated modules once, to compare them.
 * @param storage the same on every rank: a folder of a file system that all ranks can access.
 * @param content of this rank: its shards of the sharded modules, and the replicated modules.
 * @throws CheckpointError on every rank when one could not write, or another run holds the storage (`locked`); the
 * message names the rank. CommunicatorError `mismatch` on every rank when the replicated modules differ: nothing was
 * written, and the earlier checkpoint stays.
 */
export async function writeDistributedCheckpoint(
  communicator: Communicator,
  storage: CheckpointStorage,
  content: CheckpointContent,
  { allowDrift = false }: DistributedCheckpointOptions = {},
): Promise<void> {
  const { rank, size } = communicator;
  const { own, replicated } = splitModules(content.modules);
  if (size === 1) {
    await writeCheckpoint(storage, { ...content, modules: replicated });
    return;
  }
  if (!allowDrift) compareRanks(communicator, 'writing a checkpoint', await replicaChecksums(replicated));
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
      if (rank === 0) {
        await checkPartsPresent(storage, written);
        await writeCheckpoint(storage, content, { parts });
      }
      return {};
    };
    failed = firstFailure(gatherJson(communicator, await outcomeOf(commit)));
  }
  if (failed === undefined) return;
  if (mine.part !== undefined) await discardCheckpointPart(storage, mine.part);
  throw new CheckpointError(failed.code, `rank ${failed.rank} of ${size}: ${failed.message}`);
}

/** @throws CheckpointError `write-failed` when a rank wrote its shard where rank 0 does not find it. */
async function checkPartsPresent(storage: CheckpointStorage, written: readonly Outcome[]): Promise<void> {
  const names = new Set(await storage.list());
  for (const [rank, { part }] of written.entries()) {
    const missing = part?.shards.find(({ file }) => !names.has(file));
    if (missing === undefined) continue;
    throw new CheckpointError(
      'write-failed',
      `the file ${missing.file} that rank ${rank} wrote is not in ${storage.location} of rank 0; all ranks must write into one folder, on a file system that they share`,
    );
  }
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
