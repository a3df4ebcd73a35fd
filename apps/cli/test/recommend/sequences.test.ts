/** Recommenders of sequences through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';
import { asCsv, drawInteractions } from './interactions-of-two-tastes.ts';
import { tensorsOf } from './tensors-of.ts';

const folder = createScratchFolder();
// Backwards, so that only the times tell the order.
writeFileSync(join(folder, 'data.csv'), asCsv(drawInteractions().reverse()));
const own = '--backend wasm --threads 1';
const options = `--embedding 16 --batch 16 --epochs 20 --rates default ${own}`;

describe.each([
  ['next-item', '--window 2', 'the bag of the last 2 items, of 16'],
  ['session', '--hidden 12 --steps 4', 'items of 16 → gru 12, 4 steps'],
  [
    'sasrec',
    '--layers 1 --heads 2 --hidden 24 --context 4 --positions rotary --dropout 0',
    'transformer of 1 layer, items of 16, 2 heads, 24 gelu, 4 items at once',
  ],
])('%s', (model, ownOptions, description) => {
  it('learns what comes next, and continues a list of items', async () => {
    const trained = await vastmax(folder, `train data.csv -o ${model} --model ${model} ${ownOptions} ${options}`);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toContain(`body         ${description}, `);
    expect(trained.stdout).toMatch(/^order +by time$/m);
    expect(trained.stdout).toMatch(/^each user's last item held out, 48 users:$/m);
    const evaluated = await vastmax(folder, `evaluate ${model} --json --top-items 1,2 ${own}`);
    const { model: ours, popularity } = JSON.parse(evaluated.stdout) as Record<
      string,
      { readonly atK: readonly { readonly hitRate: number }[] }
    >;
    expect(ours?.atK[1]?.hitRate).toBeGreaterThan(0.8);
    expect(popularity?.atK[1]?.hitRate).toBeLessThan(0.4);
    const next = await vastmax(folder, [
      'recommend',
      model,
      '--items',
      'film 3,film 4,film 5',
      '-k',
      '1',
      ...own.split(' '),
    ]);
    expect(next.stdout).toMatch(/^item +score\nfilm 6 /);
    const resumed = await vastmax(folder, `train data.csv -o ${model} --model ${model} --resume --epochs 21 ${own}`);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    [`--model ${model} --split share`, '--split share holds out items at random'],
    [
      `--model ${model} --activation identity`,
      model === 'session' ? '--activation is an option of' : '--activation identity',
    ],
    [`--model ${model} --hold-out 0.2`, '--hold-out 0.2 is of --split share and time'],
    [`--model ${model} --split last --valid data.csv`, '--valid is what is held out'],
    [`--model ${model} --order 3`, `--order is no option of ${model}`],
    [
      `--model ${model} --weight-column w`,
      `--weight-column is an option of --model autoencoder, factorization, not of ${model}`,
    ],
  ])('refuses %s', async (given, message) => {
    const ended = await vastmax(folder, `train data.csv -o refused ${given}`);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(message);
  });
});

it('goes on bit for bit with a sasrec model', async () => {
  const constant = `--model sasrec ${options} --context 4 --dropout 0.3 --schedule constant --warmup 0`;
  await vastmax(folder, `train data.csv -o whole ${constant} --epochs 3`);
  await vastmax(folder, `train data.csv -o parts ${constant} --examples 350`);
  const resumed = await vastmax(folder, `train data.csv -o parts --model sasrec --resume --epochs 3 ${own}`);
  expect(resumed).toMatchObject({ code: 0, stderr: '' });
  expect(await tensorsOf(join(folder, 'parts'))).toEqual(await tensorsOf(join(folder, 'whole')));
});

it('takes names with commas in --items', async () => {
  writeFileSync(
    join(folder, 'commas.csv'),
    `user,item\n${'u,"a, b"\nu,c""d\nv,c""d\nv,e\n'.repeat(2)}`.replaceAll('c""d', '"c""d"'),
  );
  await vastmax(folder, `train commas.csv -o commas --model next-item --hold-out 0 --epochs 1 --rates default ${own}`);
  const ask = (items: string): ReturnType<typeof vastmax> =>
    vastmax(folder, ['recommend', 'commas', '--items', items, ...own.split(' ')]);
  for (const items of ['"a, b",e', ' "a, b" , e ', '"c""d","a, b"', 'c"d,e'])
    expect(await ask(items)).toMatchObject({ code: 0, stderr: '' });
  const open = await ask('e,"a, b');
  expect(open).toMatchObject({ code: 2, stdout: '' });
  expect(open.stderr).toContain('--items e,"a, b: a name in double quotes ends with one');
});

it.each([
  ['--model session --layers 3', '--layers is an option of --model sasrec, not of session'],
  ['--model next-item --context 3', '--context is an option of --model sasrec, not of next-item'],
  ['--context 3', '--context is an option of recommenders'],
  ['--model sasrec --hidden 8,8', '--hidden 8,8: sasrec has feed-forward networks of one width'],
  ['--model sasrec --embedding 10 --heads 4', 'embedding is 10, with 4 heads; it must be a multiple of 4'],
])('refuses %s', async (given, message) => {
  const ended = await vastmax(folder, `train data.csv -o refused ${given}`);
  expect(ended.code).not.toBe(0);
  expect(ended.stderr).toContain(message);
});

it('says that there is nothing to evaluate where users only repeat themselves', async () => {
  writeFileSync(join(folder, 'repeats.csv'), `user,item\n${'u,a\nu,b\nv,b\nv,a\n'.repeat(3)}`);
  const trained = await vastmax(folder, `train repeats.csv -o repeats --model next-item ${options}`);
  expect(trained).toMatchObject({ code: 0, stderr: expect.stringContaining('there is nothing to evaluate') as string });
  expect(trained.stdout).toMatch(/^order +as in the file, which has no times; --time-column names them$/m);
});
