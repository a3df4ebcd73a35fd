/** Alternating least squares through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { RunningCommand, vastmax } from '../vastmax.ts';
import { asCsv, drawInteractions } from './interactions-of-two-tastes.ts';
import { tensorsOf } from './tensors-of.ts';

const folder = createScratchFolder();
writeFileSync(join(folder, 'data.csv'), asCsv(drawInteractions()));
const own = '--backend wasm --threads 1';
const options = `--model factorization --embedding 8 ${own}`;

describe('a factorization', () => {
  it('is fitted, evaluated after each sweep and beside two baselines, and asked for known and new users', async () => {
    const fitted = await vastmax(folder, `train data.csv -o model ${options} --lambda 0.02`);
    expect(fitted).toMatchObject({ code: 0, stderr: '' });
    expect(fitted.stdout).toMatch(/^model +users and items of 8, .*\(unobservedWeight = 0\.01, lambda = 0\.02\)$/m);
    expect(fitted.stdout.match(/^sweep \d +Recall@20 \d\.\d{4}, NDCG@20 \d\.\d{4}, /gm)).toHaveLength(5);
    expect(fitted.stdout).toMatch(/^fitted +6 sweeps in /m);
    const evaluated = await vastmax(folder, `evaluate model ${own}`);
    expect(evaluated.stdout.split('\n').slice(1)).toEqual(fitted.stdout.split('\n').slice(-13));
    const evaluation = JSON.parse(
      (await vastmax(folder, `evaluate model --json --top-items 5 ${own}`)).stdout,
    ) as Record<string, { readonly atK: readonly { readonly recall: number }[] }>;
    expect(evaluation['model']?.atK[0]?.recall).toBeGreaterThan(1.5 * (evaluation['popularity']?.atK[0]?.recall ?? 1));
    expect((await vastmax(folder, `recommend model --user u1 -k 1 ${own}`)).stdout).toMatch(/^item +score\ntea /);
    const asked = await vastmax(folder, [
      'recommend',
      'model',
      '--items',
      'film 1,film 2',
      '-k',
      '1',
      ...own.split(' '),
    ]);
    expect(asked.stdout).toMatch(/^item +score\nfilm /);
    writeFileSync(join(folder, 'new.csv'), 'user,item,weight\nx,tea 1,1\nx,tea 2,3\n');
    const ofFile = await vastmax(folder, `recommend model --input new.csv -k 1 ${own}`);
    expect(JSON.parse(ofFile.stdout)).toMatchObject({
      user: 'x',
      items: [{ item: expect.stringMatching(/^tea/) as string }],
    });
    expect((await vastmax(folder, ['neighbors', 'model', 'tea 3', '-k', '1'])).stdout).toMatch(/^tea 3: tea \d+ /);
    expect((await vastmax(folder, 'inspect model')).stdout).toMatch(/^step 6, .* 24 items, 48 users$/m);
  });

  it('is gone on with bit for bit, and keeps its last sweep when it is interrupted', async () => {
    await vastmax(folder, `train data.csv -o whole ${options} --epochs 3 --seed 4`);
    await vastmax(folder, `train data.csv -o parts ${options} --epochs 1 --seed 4`);
    const resumed = await vastmax(folder, `train data.csv -o parts --model factorization --resume --epochs 3 ${own}`);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toMatch(/^sweep 2 /m);
    expect(await tensorsOf(join(folder, 'parts'))).toEqual(await tensorsOf(join(folder, 'whole')));
    const again = await vastmax(folder, `train data.csv -o parts --model factorization --resume ${own}`);
    expect(again.stdout).toMatch(/all 3 sweeps already; go on with --epochs$/m);

    const running = new RunningCommand(`train data.csv -o stopped ${options} --epochs 100000`.split(' '), folder);
    await running.waitFor('sweep 2 ');
    running.interrupt();
    const stopped = await running.ended;
    expect(stopped.code).toBe(130);
    const sweep =
      /^interrupted; stopped holds sweep (\d+); go on with: vastmax train data\.csv -o stopped --model factorization /m;
    expect(stopped.stdout).toMatch(sweep);
    const kept = sweep.exec(stopped.stdout)?.[1] ?? '';
    expect((await vastmax(folder, 'inspect stopped')).stdout).toMatch(
      new RegExp(`^step ${Number(kept).toLocaleString('en')}, `, 'm'),
    );
  });

  it('plans', async () => {
    const planned = await vastmax(folder, `train data.csv -o planned --model factorization --dry-run ${own}`);
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toMatch(/^model +users and items of 512,/m);
    expect(planned.stdout).toMatch(/dry run: nothing was fitted and nothing written\n$/);
    const config = JSON.parse((await vastmax(folder, 'train --model factorization --print-config')).stdout) as {
      readonly $defaults: object;
    };
    expect(config.$defaults).toMatchObject({ embedding: 512, epochs: 6, lambda: 0.05, unobservedWeight: 0.01 });
  });

  it.each([
    ['train data.csv -o no --model factorization --batch 8', '--batch is of models that are trained by minibatches'],
    ['train data.csv -o no --model factorization --loss z-loss', '--loss is of models that are trained by minibatches'],
    ['train data.csv -o no --model autoencoder --lambda 1', '--lambda is an option of --model factorization'],
    ['train data.csv -o no --lambda 1', '--lambda is an option of recommenders'],
    ['train data.csv -o model --resume', 'model holds a factorization; add --model factorization to go on with it'],
  ])('%s is refused', async (command, message) => {
    const ended = await vastmax(folder, command);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(message);
  });
});
