import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

it('start trains on the speeches and shows ranks, neighbours, next words and where the model is', async () => {
  const { code, stdout } = await vastmax(folder, 'start --examples 512 --evaluate 256 -o speeches');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^1,\d{3},\d{3} words of 210 speeches to train on, \d+,\d{3} words of 23 held out$/m);
  expect(stdout).toMatch(/^trained +512 examples in /m);
  expect(stdout).toMatch(/^held-out speeches, 256 words:\n.*perplexity\nmodel .*\nunigram /m);
  expect(stdout).toMatch(/^nearest words by output vector:\n {2}war +\S+,/m);
  expect(stdout).toMatch(/^next words:\n {2}the united states of … \S+ \|/m);
  expect(stdout).toMatch(/^saved in speeches; try:/m);
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'speeches')));
  expect(checkpoint.configuration['command']).toBe('start');

  const resumed = await vastmax(folder, 'train train.txt -o speeches --resume');
  expect(resumed).toMatchObject({
    code: 2,
    stderr: 'vastmax: speeches was made by vastmax start, which does not resume; run vastmax start again\n',
  });
});

it('start does not replace a model that it did not make', async () => {
  expect(await vastmax(folder, `train train.txt -o mine ${toyModel} --examples 64`)).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await vastmax(folder, 'start -o mine');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toBe('vastmax: mine holds a model (step 2); replace it with --overwrite, or give another folder\n');
});
