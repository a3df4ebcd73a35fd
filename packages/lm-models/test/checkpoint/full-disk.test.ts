// A disk that is really full, and one that is really read-only, in the middle of training: the error says so, the
// checkpoint before it stays, and training goes on as if nothing had been tried. Failures of every single call are in
// crash.test.ts.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainBackend } from '@vastmax/linalg-core';
import { Trainer } from '@vastmax/lm-models';
import { afterAll, describe, expect, it } from 'vitest';
import { writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { failureOf, readEverything } from '@vastmax/checkpoints/testing';
import { captureSnapshot } from '../training/captured-snapshot.ts';
import { createToyModel, toyBatches, toyTraining } from '../training/toy-language.ts';
import { mountSmallDisk } from './fixtures/small-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-full-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const loss = 'z-loss';
const training = toyTraining(loss, { examples: 4800, optimizer: 'adam', bodyRate: 0.01 });

/**
 * All tensors and settings at the end of training during which `atReport` is called with each report, of which there
 * are three or more.
 */
async function train(atReport: (trainer: Trainer, report: number) => Promise<void>): Promise<unknown> {
  using model = await createToyModel(createPlainBackend(), loss, { dropout: 0.2 });
  using trainer = new Trainer(model, toyBatches(), training);
  let report = 0;
  for await (const event of trainer.run()) if (event.type === 'progress') await atReport(trainer, ++report);
  expect(report).toBeGreaterThanOrEqual(3);
  const { tensors, configuration } = await captureSnapshot(trainer.snapshot());
  return { tensors, configuration };
}

const undisturbed = train(() => Promise.resolve());

describe('training', () => {
  it('survives a disk that is full, with the checkpoint that was there', async ({ skip }) => {
    const disk = mountSmallDisk(join(folder, 'full'), 256);
    if (disk === undefined) return skip('no file system of its own could be mounted here: that takes root on Linux');
    try {
      const directory = join(disk.path, 'run');
      let first: unknown;
      const end = await train(async (trainer, report) => {
        if (report === 1) {
          await writeCheckpoint(createFileStorage(directory), trainer.snapshot());
          first = await readEverything(directory);
        }
        if (report === 2) {
          expect(() => {
            writeFileSync(join(disk.path, 'filler'), new Uint8Array(2 ** 20));
          }).toThrow('ENOSPC');
          const files = readdirSync(directory).sort();
          const error = await failureOf(() => writeCheckpoint(createFileStorage(directory), trainer.snapshot()));
          expect(error).toMatchObject({ code: 'write-failed', cause: { code: 'ENOSPC' } });
          expect(error.message).toMatch(
            /^writeCheckpoint: .*run was not written: ENOSPC: no space left on device, write; an earlier checkpoint there is untouched$/,
          );
          expect(readdirSync(directory).sort()).toEqual(files);
          expect(await readEverything(directory)).toEqual(first);
        }
        if (report === 3) {
          rmSync(join(disk.path, 'filler'));
          await writeCheckpoint(createFileStorage(directory), trainer.snapshot());
          expect(await readEverything(directory)).toMatchObject({ configuration: { step: trainer.step } });
        }
      });
      expect(end).toEqual(await undisturbed);
    } finally {
      disk.unmount();
    }
  });

  it('survives a folder that became read-only, with the checkpoint that was there', async ({ skip }) => {
    const disk = mountSmallDisk(join(folder, 'read-only'), 1024);
    const isRoot = process.getuid?.() === 0;
    if (disk === undefined && (isRoot || process.platform === 'win32'))
      return skip('permissions do not stop root, and no file system of its own could be mounted here');
    const path = disk?.path ?? join(folder, 'permissions');
    if (disk === undefined) mkdirSync(path);
    try {
      const directory = join(path, 'run');
      let first: unknown;
      const end = await train(async (trainer, report) => {
        if (report === 1) {
          await writeCheckpoint(createFileStorage(directory), trainer.snapshot());
          first = await readEverything(directory);
          if (disk === undefined) chmodSync(directory, 0o555);
          else disk.makeReadOnly();
          return;
        }
        const code = disk === undefined ? 'EACCES' : 'EROFS';
        const error = await failureOf(() => writeCheckpoint(createFileStorage(directory), trainer.snapshot()));
        expect(error).toMatchObject({ code: 'write-failed', cause: { code } });
        expect(error.message).toContain(`run was not written: ${code}: `);
        expect(await readEverything(directory)).toEqual(first);
      });
      expect(end).toEqual(await undisturbed);
      if (disk === undefined) chmodSync(join(path, 'run'), 0o755);
    } finally {
      disk?.unmount();
    }
  });
});
