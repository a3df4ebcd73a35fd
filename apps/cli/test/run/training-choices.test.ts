/** Each loss, each optimizer and the ways to read a text, crossed so that few runs cover all of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { RunningCommand, vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const text = readFileSync(join(folder, 'train.txt'));
writeFileSync(join(folder, 'train.txt.gz'), gzipSync(text));
writeFileSync(join(folder, 'train.txt.br'), brotliCompressSync(text));
writeFileSync(join(folder, 'capitals.txt'), text.toString('utf8').replaceAll(/^the cat /gm, 'The Cat, '));

describe.each([
  ['z-loss', 'sgd', 'train.txt.gz', '--hidden 24,16', 22],
  [
    'spherical-softmax',
    'momentum',
    'capitals.txt',
    '--dropout 0.1 --tokenizer words --lower-case --output-rate 5 --body-rate 0.5',
    23,
  ],
  [
    'taylor-softmax',
    'adagrad',
    'train.txt.br',
    '--max-vocabulary 16 --output-rate 5 --body-rate 0.1 --precision f64',
    16,
  ],
  ['squared-error', 'adam', 'train.txt', '--body-rate 0.01 --schedule cosine', 22],
])('%s with %s on %s %s', (loss, optimizer, file, options, words) => {
  it('beats the unigram baseline, with a perplexity only where there are probabilities', async () => {
    const { code, stdout, stderr } = await vastmax(
      folder,
      `train ${file} -o ${loss} --valid valid.txt --evaluate 0 ${toyModel} --epochs 3 --loss ${loss} --optimizer ${optimizer} ${options}`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^vocabulary +${words} words$`, 'm'));
    const [model = '', unigram = ''] = ['model', 'unigram'].map(
      (name) => new RegExp(`^${name} .*$`, 'm').exec(stdout)?.[0] ?? '',
    );
    const reciprocalRank = (row: string): number => Number(/ (\d\.\d{3}) /.exec(row)?.[1]);
    expect(reciprocalRank(model)).toBeGreaterThan(reciprocalRank(unigram) + 0.1);
    const perplexity = (row: string): string => / (\S+)$/.exec(row)?.[1] ?? '';
    if (loss.endsWith('softmax')) expect(Number(perplexity(model))).toBeLessThan(Number(perplexity(unigram)) / 2);
    else expect(perplexity(model)).toBe('-');
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, loss)));
    expect(checkpoint.configuration).toMatchObject({
      training: { optimizer },
      model: { output: { loss: { name: loss } } },
    });
  });
});

it('a model of another precision is read in its own', async () => {
  await vastmax(folder, `train train.txt -o f64 ${toyModel} --precision f64`);
  const { code, stdout, stderr } = await vastmax(folder, 'predict f64 the lazy --top 1');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^(cat|dog|bird|horse) /m);
});

it('progress goes to standard error, as plain lines', async () => {
  const command = new RunningCommand(
    [
      'train',
      'train.txt',
      '-o',
      'timed',
      ...toyModel.split(' '),
      '--epochs',
      '1000',
      '--max-minutes',
      '0.05',
      '--rates',
      'default',
    ],
    folder,
  );
  const { code, stdout, stderr, progress } = await command.ended;
  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(progress).toMatch(
    /^(trying rates: \d+ % · \d+ tried\n)*(training: \d+ % · [\d.]+ s left · loss -?\d+\.\d{3} · [\d,]+ examples\/s · [\d,]+ of [\d,]+ examples · [\d,]+ rebases\n)+$/,
  );
  expect(stdout).not.toMatch(/^training: /m);
  expect(stdout).toMatch(/^training .*about \d\.\d s$/m);
});
