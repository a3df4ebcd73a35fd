import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from '@vastmax/checkpoints';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { saveUntilDone, type LastSave } from '../../src/run/last-save.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-save-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const full = new CheckpointError('write-failed', 'ENOSPC: no space left on device');
let told: string[] = [];
beforeEach(() => {
  told = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
});

const last = (signal: AbortSignal): LastSave => ({ directory: join(folder, 'model'), bytes: 3 * 2 ** 20, signal });

it('a run that nobody interrupted is given up at Ctrl-C, with the reason', async () => {
  const controller = new AbortController();
  let calls = 0;
  const saving = saveUntilDone(() => {
    calls++;
    return Promise.reject(full);
  }, last(controller.signal));
  await vi.waitFor(() => {
    expect(told).toHaveLength(1);
  });
  controller.abort();
  await expect(saving).rejects.toBe(full);
  expect(calls).toBe(1);
  expect(told[0]).toMatch(
    /^vastmax: warning: the end of the run is not saved \(ENOSPC: no space left on device\); \S+\/model needs 3\.0 MiB, and [\d.]+ \w+ of its disk are free; trying again until it is saved, Ctrl-C gives it up\n$/,
  );
});

it('a reason is told once, and a new one again', async () => {
  const outcomes = [full, full, new CheckpointError('locked', 'another run writes there'), undefined];
  const save = (): Promise<void> => {
    const outcome = outcomes.shift();
    return outcome === undefined ? Promise.resolve() : Promise.reject(outcome);
  };
  await saveUntilDone(save, last(AbortSignal.abort()));
  expect(outcomes).toEqual([]);
  expect(told).toHaveLength(2);
  expect(told[1]).toContain('(another run writes there); ');
  expect(told[1]).toContain('Ctrl-C again gives it up');
});

it('an error that is not about the disk is not tried again', async () => {
  const error = new CheckpointError('non-finite', 'NaN in the weights');
  await expect(saveUntilDone(() => Promise.reject(error), last(new AbortController().signal))).rejects.toBe(error);
  expect(told).toEqual([]);
});
