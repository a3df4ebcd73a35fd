/**
 * A folder that goes away during training stands for a full disk: a checkpoint on the way may be lost, the last one may
 * not.
 */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { pause, RunningCommand } from '../vastmax.ts';

const folder = createScratchFolder();

async function trainWithoutFolder(model: string): Promise<RunningCommand> {
  const command = new RunningCommand(
    `train train.txt -o ${model} ${toyModel} --epochs 100000 --checkpoint-every 1`.split(' '),
    folder,
  );
  const path = join(folder, model);
  while (!existsSync(join(path, 'checkpoint.json'))) await pause(20);
  renameSync(path, `${path}-before`);
  writeFileSync(path, 'in the way');
  await command.waitFor('training goes on');
  return command;
}

it('warns and goes on, and saves the end when it can', async () => {
  const command = await trainWithoutFolder('model');
  rmSync(join(folder, 'model'));
  command.interrupt();
  const { code, stderr } = await command.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /^vastmax: warning: no checkpoint of step \d+ \(writeCheckpoint: model was not written: .*\); training goes on, the last one saved is of step \d+\n/,
  );
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'model')));
  expect(Number(checkpoint.configuration['step'])).toBeGreaterThan(
    Number(/last one saved is of step (\d+)/.exec(stderr)?.[1]),
  );
});

it('keeps trying to save the end, until it can', async () => {
  const command = await trainWithoutFolder('later');
  command.interrupt();
  await command.waitFor('trying again until it is saved');
  rmSync(join(folder, 'later'));
  const { code, stdout, stderr } = await command.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /\nvastmax: warning: the end of the run is not saved \(writeCheckpoint: later was not written: .*\); later needs [\d.]+ KiB, and [\d.]+ \w+ of its disk are free; trying again until it is saved, Ctrl-C again gives it up\n$/,
  );
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'later')));
  expect(stdout).toContain(`interrupted at step ${Number(checkpoint.configuration['step'])}; go on with`);
});

it('loses the end only when it is told to', async () => {
  const command = await trainWithoutFolder('lost');
  command.interrupt();
  await command.waitFor('trying again until it is saved');
  command.interrupt();
  const { code, stdout } = await command.ended;
  expect([130, null]).toContain(code);
  expect(stdout).not.toContain('saved ');
});
