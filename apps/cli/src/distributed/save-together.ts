/**
 * A checkpoint of a job: each rank writes its shard of the output layer, all at once; then rank 0 writes what is the
 * same everywhere, and the file that makes it all one checkpoint, last and in one step. When one fails all hear of it,
 * and the earlier checkpoint stays.
 */
import { gatherJson, type Communicator } from '@vastmax/collectives';
import { gatherStreams, splitModules } from '@vastmax/lm-models/distributed';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { CheckpointError, discardCheckpointPart, isCheckpointError, writeCheckpoint, writeCheckpointPart, type CheckpointContent, type CheckpointErrorCode, type CheckpointPart } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

interface Outcome {
  readonly part?: CheckpointPart;
  readonly failure?: { readonly code: CheckpointErrorCode; readonly message: string };
}

/** A collective. @throws CheckpointError on every rank when one could not write; the message names it. */
export async function saveTogether(
  communicator: Communicator,
  directory: string,
  content: CheckpointContent,
): Promise<void> {
  const { rank, size } = communicator;
  const storage = createFileStorage(directory);
  const { own, replicated } = splitModules(content.modules);
  if (size === 1) {
    await writeCheckpoint(storage, { ...content, modules: replicated });
    return;
  }
  const modules: Record<string, ModuleState> = {};
  for (const [name, state] of Object.entries(replicated)) modules[name] = await gatherStreams(communicator, state);
  const mine = await outcomeOf(async () => ({ part: await writeCheckpointPart(storage, own) }));
  const written = gatherJson(communicator, mine);
  let failed = firstFailure(written);
  if (failed === undefined) {
    const parts = written.flatMap(({ part }) => (part === undefined ? [] : [part]));
    const commit = async (): Promise<Outcome> => {
      if (rank === 0) await writeCheckpoint(storage, { ...content, modules }, { parts });
      return {};
    };
    failed = firstFailure(gatherJson(communicator, await outcomeOf(commit)));
  }
  if (failed === undefined) return;
  if (mine.part !== undefined) await discardCheckpointPart(storage, mine.part);
  throw new CheckpointError(failed.code, `rank ${failed.rank} of ${size}: ${failed.message}`);
}

/** What is no CheckpointError ends the job from where it is thrown. */
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
