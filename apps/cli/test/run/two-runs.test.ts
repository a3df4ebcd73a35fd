/** Two runs and one folder: the second is refused at its start, while the first lives and only then. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { afterEach, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { pause, RunningCommand, vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const train = `train train.txt ${toyModel}`;

/** Ended after each test, also after one that failed. */
const longRuns: RunningCommand[] = [];
afterEach(() => {
  for (const run of longRuns.splice(0)) run.interrupt('SIGKILL');
});

async function startLongRun(model: string): Promise<RunningCommand> {
  const command = new RunningCommand(`${train} -o ${model} --epochs 100000 --checkpoint-every 1`.split(' '), folder);
  longRuns.push(command);
  while (!existsSync(join(folder, model, 'checkpoint.json'))) await pause(20);
  return command;
}

describe('a run beside a living one', () => {
  it('is refused before it reads anything, and takes over when that one was killed', async () => {
    const first = await startLongRun('model');
    const calls = [
      'train absent.txt -o model',
      'train absent.txt -o model --resume',
      'train absent.txt -o model --overwrite',
      'train absent.txt -o model --model classifier --resume',
      'start -o model --overwrite',
    ];
    for (const call of calls) {
      const { code, stdout, stderr } = await vastmax(folder, call);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(
          `^vastmax: model is being written by process ${first.pid} on \\S+ since \\S+; wait until it ends, or give this run another folder\n$`,
        ),
      );
    }
    // Reading goes on beside it.
    expect(await vastmax(folder, 'inspect model')).toMatchObject({ code: 0 });
    first.interrupt('SIGKILL');
    await first.ended;
    expect(await vastmax(folder, `${train} -o model --overwrite`)).toMatchObject({ code: 0, stderr: '' });
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'model')));
    expect(checkpoint.configuration).toMatchObject({ options: { epochs: 1 } });
    expect(readdirSync(join(folder, 'model'))).toHaveLength(3);
  });
});

describe('a folder that cannot be written', () => {
  it.skipIf(process.platform !== 'linux').each(['train absent.txt -o /proc/x', 'start -o /proc/1/x'])(
    'is refused before anything is read: %s',
    async (call) => {
      const { code, stdout, stderr } = await vastmax(folder, call);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^vastmax: --out \/proc\/\S+ cannot be written: ENOENT: .*; give another folder\n$/);
    },
  );

  it.skipIf(process.platform !== 'linux')('is refused as one of a vocabulary or an export', async () => {
    for (const call of ['vocab absent.txt -o /proc/x', 'export absent -o /proc/x.vec']) {
      const { code, stdout, stderr } = await vastmax(folder, call);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^vastmax: --output \/proc\/\S+ cannot be written: ENOENT: .*\n$/);
    }
  });

  it('is not left behind by a dry run or a run that fails', async () => {
    expect(await vastmax(folder, `${train} -o dry --dry-run`)).toMatchObject({ code: 0 });
    expect(await vastmax(folder, 'train absent.txt -o failed')).toMatchObject({ code: 1 });
    expect(existsSync(join(folder, 'dry'))).toBe(false);
    expect(existsSync(join(folder, 'failed'))).toBe(false);
  });
});
