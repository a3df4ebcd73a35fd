import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { savedModule } from '@vastmax/lm-models/distributed';
import { expect, it } from 'vitest';
import { QuietOutput } from '../../src/distributed/quiet-output.ts';
import { threadsOfRank } from '../../src/distributed/rank-job.ts';
import { runOnThreads } from './thread-jobs.ts';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

it('a rank that cannot write its shard is named to all, and the checkpoint before stays alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vastmax-together-'));
  try {
    const refusals = await runOnThreads<{ readonly code: string; readonly message: string }>(
      new URL('./programs/save-rank.ts', import.meta.url),
      3,
      directory,
    );
    for (const refusal of refusals) {
      expect(refusal.code).toBe('non-finite');
      expect(refusal.message).toMatch(
        /^rank 1 of 3: writeCheckpoint: module output\.shard-1-of-3, tensor classes.*NaN/,
      );
    }
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.configuration).toEqual({ step: 1 });
    expect(Array.from((await savedModule(checkpoint, 'output').tensors[0]?.read(0, 3)) ?? [])).toEqual([0, 1, 2]);
    expect(readdirSync(directory).filter((name) => name.endsWith('.safetensors'))).toHaveLength(4);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('a quiet rank says nothing until it may speak, and waits for nobody', async () => {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) > 0 } as unknown as NodeJS.WriteStream;
  {
    using quiet = new QuietOutput([stream]);
    expect(quiet).toBeDefined();
    await new Promise((resolve) => {
      stream.write('one', resolve);
    });
  }
  stream.write('two');
  expect(said).toEqual(['two']);
});

it.each([
  [{}, 8, 8],
  [{ OMPI_COMM_WORLD_LOCAL_SIZE: '4' }, 8, 2],
  [{ MPI_LOCALNRANKS: '3' }, 8, 2],
  [{ SLURM_STEP_TASKS_PER_NODE: '16(x4)' }, 8, 1],
])('the cores of a machine are shared out among its ranks: %o', (environment, cores, threads) => {
  expect(threadsOfRank(environment, cores)).toBe(threads);
});
