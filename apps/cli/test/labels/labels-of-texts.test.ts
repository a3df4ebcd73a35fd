/** Labelled texts through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const write = (file: string, content: string | Uint8Array): void => {
  writeFileSync(join(folder, file), content);
};

/** The first word says the label; every third text has a second label. */
const examples = Array.from({ length: 90 }, (_, i) => ({
  labels: [`l${i % 3}`, ...(i % 3 === 0 ? ['also'] : [])],
  text: `start${i % 3} w${i % 7} w${i % 11}`,
}));
const lines = examples.map(({ labels, text }) => `${labels.map((label) => `__label__${label}`).join(' ')} ${text}\n`);
write('train.ft', lines.join(''));
write('test.ft', lines.slice(0, 30).join(''));
write('train.jsonl', examples.map(({ labels, text }) => `${JSON.stringify({ body: text, label: labels })}\n`).join(''));
write(
  'train.csv.gz',
  gzipSync(`id,tags,text\n${examples.map(({ labels, text }, i) => `${i},${labels.join('|')},"${text}"\n`).join('')}`),
);
const network =
  '--embedding 8 --batch 8 --body-rate 0.05 --output-rate 5 --output-layer full --backend wasm --threads 1';
const options = `--model classifier ${network}`;

interface Prediction {
  readonly line: number;
  readonly labels: readonly { readonly label: string; readonly probability?: number; readonly score: number }[];
}
const predictions = (stdout: string): Prediction[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Prediction);

async function tensorsOf(model: string): Promise<number[][]> {
  await using checkpoint: Checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
  const tensors: number[][] = [];
  for (const module of checkpoint.moduleNames)
    for (const { rows, read } of checkpoint.module(module).tensors) tensors.push([...(await read(0, rows))]);
  return tensors;
}

describe('a classifier of texts', () => {
  it('is trained, evaluated per label, asked, and exported', async () => {
    const trained = await vastmax(folder, `train train.ft -o model ${options} --epochs 12 --valid test.ft`);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(/^texts +90 of 15 different words, 4 labels$/m);
    expect(trained.stdout).toMatch(/^body +a bag of features, of 8, 120 parameters$/m);
    const evaluated = await vastmax(
      folder,
      'evaluate model test.ft --limit 0 --top 1 --threshold 0.3 --per-label --threads 1',
    );
    expect(evaluated.stdout.split('\n').slice(1, 4)).toEqual(trained.stdout.split('\n').slice(-4, -1));
    expect(evaluated.stdout).toMatch(/^the best label of at least 0\.3 of each:\n +precision +recall +F1 +support/m);
    expect(evaluated.stdout).toMatch(/^l1 +100\.0 % +100\.0 % +1\.000 +10 +10$/m);
    const { predictions: counted } = JSON.parse(
      (await vastmax(folder, 'evaluate model test.ft --per-label --json')).stdout,
    ) as { predictions: Record<string, unknown> };
    expect(counted).toMatchObject({
      k: 1,
      examples: 30,
      right: 40,
      predicted: 30,
      hits: 30,
      precision: 1,
      recall: 0.75,
    });
    expect((counted['labels'] as unknown[]).slice(2)).toMatchObject([{ label: 'l1', right: 10 }, { label: 'l2' }]);

    const predicted = await vastmax(folder, 'predict model --input test.ft -k 4 --batch 7');
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    const all = predictions(predicted.stdout);
    expect(all.map(({ line }) => line)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(all[1]?.labels[0]?.label).toBe('l1');
    for (const { labels } of all) {
      expect(labels).toHaveLength(4);
      expect(labels.reduce((sum, { probability = 0 }) => sum + probability, 0)).toBeCloseTo(1, 4);
    }
    write('texts.csv', 'text\n"start2\nw1"\nstart1 unheard\n');
    const table = await vastmax(folder, 'predict model --input texts.csv --threshold 0.5');
    expect(predictions(table.stdout).map(({ line, labels }) => [line, labels[0]?.label])).toEqual([
      [2, 'l2'],
      [4, 'l1'],
    ]);
    const prompt = await vastmax(folder, 'predict model start1 w2 --json -k 1');
    expect(JSON.parse(prompt.stdout)).toMatchObject({ text: 'start1 w2', labels: [{ label: 'l1' }] });
    expect((await vastmax(folder, 'predict model start1 -k 1')).stdout).toMatch(
      /^label +probability\nl1 +[01]\.\d{3}\n$/,
    );
    expect(
      predictions((await vastmax(folder, ['predict', 'model', '--input', '-'], 'start2\n')).stdout)[0],
    ).toMatchObject({
      line: 1,
      labels: [{ label: 'l2' }, {}, {}, {}],
    });

    expect((await vastmax(folder, 'inspect model')).stdout).toMatch(/, 4 labels of texts with 15 different words$/m);
    expect((await vastmax(folder, 'neighbors model start1 -k 2')).stdout).toMatch(
      /^start1: \S+ -?\d\.\d\d, \S+ -?\d\.\d\d\n$/,
    );
    expect((await vastmax(folder, 'neighbors model l1 --vectors output -k 9 --json')).stdout).toMatch(
      /^\{"l1":\[\{"word"/,
    );
    const labels = await vastmax(folder, 'export model -o labels.txt --json');
    expect(JSON.parse(labels.stdout)).toMatchObject({ words: 4, width: 8 });
    const words = await vastmax(folder, 'export model -o words.txt --vectors input --json');
    expect(JSON.parse(words.stdout)).toMatchObject({ words: 15, width: 8 });

    // The vectors of the words are those that another model may start from.
    const started = await vastmax(
      folder,
      `train train.ft -o started ${options} --initial-vectors words.txt --word-ngrams 2 --buckets 9`,
    );
    expect(started.stdout).toMatch(/^embeddings +15 of 15 words start from words\.txt$/m);
    expect(started.stdout).toMatch(/^n-grams +in 9 buckets of 8 numbers, 864 B with their moments$/m);
  });

  it('is the same from any format', async () => {
    const same = '--epochs 2';
    await vastmax(folder, `train train.ft -o from-lines ${options} ${same}`);
    await vastmax(folder, `train train.jsonl -o from-json ${options} ${same} --text-column body`);
    await vastmax(
      folder,
      `train train.csv.gz -o from-table ${options} ${same} --label-column tags --label-separator |`,
    );
    await vastmax(folder, `train - -o from-pipe ${options} ${same}`.split(' '), lines.join(''));
    const expected = await tensorsOf('from-lines');
    for (const model of ['from-json', 'from-table', 'from-pipe']) expect(await tensorsOf(model)).toEqual(expected);
  });

  it('is gone on with, bit for bit', async () => {
    write('weights.json', '{"l0": 0.5, "also": 3}');
    const with_ = `${options} --word-ngrams 2 --min-chars 2 --max-chars 3 --buckets 40 --min-count 2 --lower-case --class-weights weights.json`;
    const whole = await vastmax(folder, `train train.ft -o whole ${with_} --examples 240`);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    await vastmax(folder, `train train.ft -o parts ${with_} --examples 240 --schedule constant --final-factor 1`);
    await vastmax(folder, `train train.ft -o half ${with_} --examples 120 --schedule constant --final-factor 1`);
    write('weights.json', '{"l0": 7}');
    const resumed = await vastmax(
      folder,
      'train train.ft -o half --model classifier --resume --examples 240 --threads 1',
    );
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(await tensorsOf('half')).toEqual(await tensorsOf('parts'));
    const other = await vastmax(folder, 'train test.ft -o half --model classifier --resume --examples 300');
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toContain('test.ft does not hold the texts that half was trained on');
    const changed = await vastmax(folder, 'train train.ft -o half --model classifier --resume --buckets 41');
    expect(changed.stderr).toContain('--buckets is 41, but the run in half has 40');
  });

  it('learns otherwise with class weights', async () => {
    write('uneven.ft', lines.filter((_, i) => i % 3 === 0 || i % 4 === 0).join(''));
    await vastmax(folder, `train uneven.ft -o plain ${options}`);
    const plain = await tensorsOf('plain');
    for (const weights of ['balanced', 'sqrt']) {
      const trained = await vastmax(folder, `train uneven.ft -o ${weights} ${options} --class-weights ${weights}`);
      expect(trained).toMatchObject({ code: 0, stderr: '' });
      expect(await tensorsOf(weights)).not.toEqual(plain);
    }
  });

  it('has options in a configuration', async () => {
    const printed = await vastmax(
      folder,
      `train train.ft -o config ${options} --word-ngrams 2 --label-prefix # --class-weights sqrt --activation identity --print-config`,
    );
    expect(JSON.parse(printed.stdout)).toMatchObject({
      wordNgrams: 2,
      labelPrefix: '#',
      classWeights: 'sqrt',
      threads: 1,
    });
    write('config.json', printed.stdout);
    expect(await vastmax(folder, 'train --config config.json --print-config')).toEqual(printed);
    write('points.xmc', '2 2 2\n0 0:1\n1 1:1\n');
    const points = await vastmax(folder, 'train points.xmc -o config --model classifier --print-config');
    write('points.json', points.stdout);
    expect(await vastmax(folder, 'train --config points.json --dry-run')).toMatchObject({ code: 0, stderr: '' });
  });

  it('leaves texts without a label out', async () => {
    write('some.ft', `${lines.slice(0, 20).join('')}start1 no label\n\n`);
    const trained = await vastmax(folder, `train some.ft -o some ${options}`);
    expect(trained.stderr).toBe('vastmax: warning: 2 of the 22 texts of some.ft have no label; they are left out\n');
    expect(trained.stdout).toMatch(/^trained +20 examples/m);
    const rare = await vastmax(folder, `train some.ft -o rare ${options} --min-count-label 7 --dry-run`);
    expect(rare.stdout).toMatch(/^texts +22 of \d+ different words, 3 labels$/m);
  });

  it.each([
    ['train bad.txt -o refused', 1, 'bad.txt: line 1: "the lazy cat" does not tell the format'],
    ['train train.jsonl -o refused', 1, 'train.jsonl: line 1: there is no field "text", but "body", "label"'],
    ['train train.csv.gz -o refused', 1, 'line 1: the header has no column "label"; it has "id", "tags", "text"'],
    ['train one.ft -o refused', 1, 'one.ft: label "a" is the only one that its texts have'],
    ['train train.ft -o refused --min-count 999', 1, 'is left with a --min-count of 999'],
    ['train train.ft -o refused --min-chars 4 --max-chars 3', 1, '--min-chars is 4; an integer in 0..3 is needed'],
    ['train train.ft -o refused --word-ngrams 2 --buckets 2000000000', 1, '2,000,000,000 buckets of n-grams ('],
    ['train train.ft -o refused --class-weights none.json', 2, '--class-weights none.json cannot be read'],
    ['train train.ft -o refused --class-weights bad.json', 2, 'has "zz", which is none of the 4 labels'],
    [
      'train train.ft -o refused --class-weights sqrt --loss squared-error',
      1,
      'class weights: the squared error takes',
    ],
    ['train points.xmc -o refused --word-ngrams 2', 2, '--word-ngrams is an option of classifiers of texts'],
    ['train train.ft -o refused --window 2', 2, '--window is an option of models over words'],
    ['evaluate model none.ft', 1, 'none.ft: none of its 1 texts has one of the 4 labels'],
    ['evaluate model test.ft --label-format xmc', 2, 'this classifier is one of texts'],
    ['predict model start1 --continue 3', 2, '--continue is for language models'],
    ['neighbors model zzz', 1, "the word 'zzz' is not in the vocabulary"],
  ])('%s is refused', async (command, code, message) => {
    write('bad.txt', 'the lazy cat\n');
    write('one.ft', '__label__a x y\n');
    write('none.ft', '__label__other start1\n');
    write('bad.json', '{"zz": 1}');
    write('points.xmc', '2 2 2\n0 0:1\n1 1:1\n');
    const isTraining = command.startsWith('train');
    const ended = await vastmax(folder, isTraining ? `${command} --model classifier --backend wasm` : command);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toMatch(/^vastmax: .*\n$/);
  });

  it('options of labels are none of models over words', async () => {
    const ended = await vastmax(folder, 'train train.ft -o refused --word-ngrams 2');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain('--word-ngrams is an option of --model classifier');
  });
});
