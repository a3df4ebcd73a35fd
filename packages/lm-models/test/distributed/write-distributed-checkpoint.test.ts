import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { savedModule } from '@vastmax/lm-models/distributed';
import { expect, it } from 'vitest';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { startThreadRanks } from '@vastmax/collectives';
import { bundleProgram } from '@vastmax/test-programs';
import type { Refusal } from './programs/save-rank.ts';

it('a rank that cannot write its shard, differs, or writes elsewhere is named to all, and the checkpoint before stays alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vastmax-together-'));
  try {
    const module = await bundleProgram(new URL('./programs/save-rank.ts', import.meta.url));
    const refusals = (await startThreadRanks({ size: 3, module, data: directory })) as (readonly Refusal[])[];
    for (const byRank of refusals) {
      expect(byRank).toEqual([
        {
          code: 'non-finite',
          message: expect.stringMatching(
            /^rank 1 of 3: writeCheckpoint: module output\.shard-1-of-3, tensor classes.*NaN/,
          ) as string,
        },
        {
          code: 'mismatch',
          message: expect.stringMatching(
            /^writing a checkpoint: the ranks differ: the checksum of body\.classes is \d+ on ranks 0, 2 and \d+ on rank 1;/,
          ) as string,
        },
        {
          code: 'write-failed',
          message: expect.stringMatching(
            /^rank 0 of 3: the file weights-\S+ that rank 1 wrote is not in .* of rank 0; all ranks must write into one folder/,
          ) as string,
        },
      ]);
    }
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.configuration).toEqual({ step: 1 });
    expect(Array.from((await savedModule(checkpoint, 'output').tensors[0]?.read(0, 3)) ?? [])).toEqual([0, 1, 2]);
    expect(readdirSync(directory).filter((name) => name.endsWith('.safetensors'))).toHaveLength(4);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
