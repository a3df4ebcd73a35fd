/** A checkpoint that several processes write, each its own files, before one commits it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf, moduleContent, tensorOf } from '@vastmax/checkpoints/testing';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { createFileStorage } from '../src/file-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import { discardCheckpointPart, writeCheckpointPart } from '../src/checkpoint-parts.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-parts-'));
let directory = folder;
let count = 0;
beforeEach(() => {
  directory = join(folder, String(count++));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const weightFiles = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.safetensors'));
const moduleOf = (rank: number): ModuleState => ({
  configuration: { rank },
  tensors: [
    tensorOf(
      'rows',
      Float32Array.from({ length: 40 }, (_, i) => i + rank),
      4,
    ),
    tensorOf('more', Float32Array.of(rank, 1), 1),
  ],
});
const body: ModuleState = {
  configuration: { kind: 'body' },
  tensors: [tensorOf('weights', Float32Array.of(1, 2, 3), 3)],
};

it('is an ordinary checkpoint once it is committed, with an index of all files, and replaces the one before', async () => {
  await writeCheckpoint(createFileStorage(directory), { configuration: { generation: 1 }, modules: { body } });
  for (const generation of [2, 3]) {
    const parts = await Promise.all(
      [0, 1].map((rank) =>
        writeCheckpointPart(
          createFileStorage(directory),
          { [`output.${rank}`]: moduleOf(rank) },
          { maximumShardBytes: 100 },
        ),
      ),
    );
    {
      // The one before, until the commit.
      await using before = await openCheckpoint(createFileStorage(directory));
      expect(before.configuration).toEqual({ generation: generation - 1 });
    }
    // What another process says is plain JSON.
    await writeCheckpoint(
      createFileStorage(directory),
      { configuration: { generation }, modules: { body } },
      { parts: JSON.parse(JSON.stringify(parts)) as typeof parts },
    );
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    expect(checkpoint.configuration).toEqual({ generation });
    expect(checkpoint.moduleNames).toEqual(['body', 'output.0', 'output.1']);
    for (const rank of [0, 1])
      expect(await moduleContent(checkpoint.module(`output.${rank}`))).toEqual(await moduleContent(moduleOf(rank)));
    // Two tensors of each part in two files, and the body's.
    expect(weightFiles()).toHaveLength(5);
  }
  const index = readdirSync(directory).find((name) => name.endsWith('.index.json')) ?? '';
  const { metadata, weight_map: map } = JSON.parse(readFileSync(join(directory, index), 'utf8')) as {
    metadata: unknown;
    weight_map: Record<string, string>;
  };
  expect(metadata).toEqual({ total_size: 2 * (160 + 8) + 12 });
  expect(Object.keys(map)).toEqual([
    'body/weights',
    'output.0/rows',
    'output.0/more',
    'output.1/rows',
    'output.1/more',
  ]);
  expect(new Set(Object.values(map))).toEqual(new Set(weightFiles()));
});

it('is no checkpoint before, and parts without one are cleared by the next', async () => {
  await writeCheckpointPart(createFileStorage(directory), { output: moduleOf(0) });
  expect((await failureOf(() => openCheckpoint(createFileStorage(directory)))).code).toBe('missing');
  expect(weightFiles()).toHaveLength(1);
  await writeCheckpoint(createFileStorage(directory), { configuration: {}, modules: { body } });
  expect(weightFiles()).toHaveLength(1);
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  expect(checkpoint.moduleNames).toEqual(['body']);
});

it('leaves nothing of a part that cannot be written or is not wanted', async () => {
  const spoilt: ModuleState = {
    configuration: {},
    tensors: [tensorOf('fine', Float32Array.of(1), 1), tensorOf('rows', Float32Array.of(1, Number.NaN), 1)],
  };
  const failure = await failureOf(() =>
    writeCheckpointPart(createFileStorage(directory), { output: spoilt }, { maximumShardBytes: 4 }),
  );
  expect(failure.code).toBe('non-finite');
  expect(readdirSync(directory)).toEqual([]);
  const part = await writeCheckpointPart(createFileStorage(directory), { output: moduleOf(0) });
  await discardCheckpointPart(createFileStorage(directory), part);
  expect(readdirSync(directory)).toEqual([]);
});

it('has each module from one process', async () => {
  const part = await writeCheckpointPart(createFileStorage(directory), { output: moduleOf(0) });
  const failure = await failureOf(() =>
    writeCheckpoint(
      createFileStorage(directory),
      { configuration: {}, modules: { output: moduleOf(1) } },
      { parts: [part] },
    ),
  );
  expect(failure).toMatchObject({
    code: 'bad-argument',
    message: 'writeCheckpoint: module output comes from two processes; each needs a name of its own',
  });
});
