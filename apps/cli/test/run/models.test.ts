/** Every kind of model through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const small = '--output-layer factored --embedding 8 --batch 32 --backend wasm --body-rate 0.02';
const reciprocalRank = (output: string, row: string): number =>
  Number(new RegExp(`^${row} .* (\\d\\.\\d{3}) `, 'm').exec(output)?.[1]);

describe.each([
  [
    'lstm',
    '--hidden 16 --steps 8',
    /^body +words of 8 → lstm 16, 8 steps, 1,\d{3} parameters$/m,
    'runs|sleeps|barks|gallops|sings|flies',
  ],
  [
    'gru',
    '--hidden 16,12 --loss spherical-softmax --output-rate 5',
    /^body +words of 8 → gru 16 → gru 12, 16 steps, /m,
    'runs|sleeps|barks|gallops|sings|flies',
  ],
  [
    'transformer',
    '--layers 1 --heads 2 --hidden 16 --steps 8 --warmup 0.1',
    /^body +transformer of 1 layer, words of 8, 2 heads, 16 gelu, 8 words at once, 736 parameters$/m,
    'runs|sleeps|barks|gallops|sings|flies',
  ],
  ['bag', '--order 3', /^body +the bag of 3 words, of 8, 176 parameters$/m, '\\w+'],
  [
    'cbow',
    '--window 3 --output-layer sampled --samples 10',
    /^body +the bag of 3 words on either side, of 8, 176 parameters$/m,
    '\\w+',
  ],
])('%s with %s', (model, options, body, next) => {
  it('beats the unigram baseline, goes on where it stopped, and is asked as the others are', async () => {
    const trained = await vastmax(
      folder,
      `train train.txt -o ${model} --model ${model} ${small} ${options} --epochs 6 --valid valid.txt --evaluate 0`,
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(body);
    expect(reciprocalRank(trained.stdout, 'model')).toBeGreaterThan(reciprocalRank(trained.stdout, 'unigram') + 0.1);

    const evaluated = await vastmax(folder, `evaluate ${model} valid.txt --limit 0 --backend wasm`);
    expect(evaluated.stdout.split('\n').slice(-4)).toEqual(trained.stdout.split('\n').slice(-4));
    const predicted = await vastmax(folder, `predict ${model} the white horse -k 3 --continue 2`);
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    expect(predicted.stdout).toMatch(new RegExp(`^word +score\n(${next}) `));
    const [alone, among] = await Promise.all([
      vastmax(folder, ['predict', model, '--input', '-', '--backend', 'wasm'], '"the white horse"'),
      vastmax(folder, ['predict', model, '--input', '-', '--backend', 'wasm'], '"and"\n"the white horse"\n""\n'),
    ]);
    const best = (line: string | undefined): unknown =>
      (JSON.parse(line ?? '') as { next: { word: string }[] }).next.map(({ word }) => word);
    expect(best(among.stdout.split('\n')[1])).toEqual(best(alone.stdout.split('\n')[0]));
    expect(await vastmax(folder, `neighbors ${model} cat -k 2`)).toMatchObject({ code: 0, stderr: '' });
    expect(await vastmax(folder, `export ${model} -o ${model}.txt --vectors input`)).toMatchObject({
      code: 0,
      stderr: '',
    });

    const resumed = await vastmax(folder, `train train.txt -o ${model} --resume --epochs 7 --valid valid.txt`);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
    expect(checkpoint.configuration).toMatchObject({ exampleSettings: { model }, training: { optimizer: 'adam' } });
  });
});

describe('skip-gram', () => {
  it('learns vectors, and has no ranks to evaluate', async () => {
    const trained = await vastmax(folder, `train train.txt -o skip --model skip-gram --window 2 ${small} --epochs 6`);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await vastmax(folder, 'neighbors skip runs --vectors input -k 5 --json');
    const { runs } = JSON.parse(stdout) as { runs: { word: string }[] };
    // Verbs stand where verbs do.
    expect(
      runs.filter(({ word }) => ['barks', 'gallops', 'sings', 'flies', 'sleeps'].includes(word)).length,
    ).toBeGreaterThanOrEqual(2);
    writeFileSync(
      join(folder, 'pairs.tsv'),
      'runs\tgallops\t9\nsings\tflies\t8.5\nruns\twhite\t1\nsings\tand\t0\nruns\twalks\t10\n',
    );
    const similar = await vastmax(folder, 'evaluate skip --similarity pairs.tsv');
    expect(similar).toMatchObject({ code: 0, stderr: '' });
    expect(similar.stdout).toMatch(
      /^pairs\.tsv, 4 of 5 pairs \(80\.0 %\):\n +Spearman's rho\nembeddings +-?\d\.\d{3}\noutput vectors +-?\d\.\d{3}\n$/,
    );
    const { similarity } = JSON.parse(
      (await vastmax(folder, 'evaluate skip --similarity pairs.tsv --json')).stdout,
    ) as { similarity: { input: unknown } };
    expect(similarity.input).toMatchObject({
      covered: 4,
      pairs: 5,
      coverage: 0.8,
      correlation: expect.any(Number) as number,
    });
    writeFileSync(join(folder, 'bad.tsv'), 'runs\tgallops\t9\nruns gallops 9\n');
    expect(await vastmax(folder, 'evaluate skip --similarity bad.tsv')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('bad.tsv: line 2:') as string,
    });
    expect(await vastmax(folder, 'evaluate skip')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'text', or --similarity with a file") as string,
    });
    expect(await vastmax(folder, 'evaluate skip valid.txt')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('look at its neighbors instead') as string,
    });
    expect(await vastmax(folder, 'train train.txt -o skip2 --model skip-gram --valid valid.txt')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--valid ranks words') as string,
    });
  });
});

it.each([
  ['lstm --order 3', '--order is an option of --model ngram, bag, not of lstm'],
  ['ngram --window 3', '--window is an option of --model cbow, skip-gram, not of ngram'],
  ['cbow --steps 3', '--steps is an option of --model lstm, gru, transformer, not of cbow'],
  ['gru --layers 2', '--layers is an option of --model transformer, not of gru'],
  ['transformer --activation tanh', '--activation tanh is not one of transformer, which has gelu, relu, swiglu'],
  ['transformer --hidden 8,8', '--hidden 8,8: transformer has feed-forward networks of one width'],
  ['lstm --steps 5000', 'from 1 to 4096'],
  [
    'gru --activation relu',
    '--activation is an option of --model ngram, transformer, bag, cbow, skip-gram, not of gru',
  ],
])('--model %s is refused', async (options, message) => {
  const { code, stdout, stderr } = await vastmax(folder, `train train.txt -o refused --model ${options}`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});
