/** `vocab`, `tokenize` and `predict --input`: streams in, streams out. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel, toySentences } from '../toy-text.ts';
import { RunningCommand, vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const at = (file: string): string => join(folder, file);

beforeAll(async () => {
  expect(
    await vastmax(
      folder,
      `train train.txt -o model ${toyModel} --epochs 3 --tokenizer words --lower-case --backend wasm`,
    ),
  ).toMatchObject({ code: 0 });
});

describe('vocab', () => {
  it('counts the words, the most frequent first', async () => {
    const { code, stdout, stderr } = await vastmax(folder, 'vocab train.txt -o vocab.tsv');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = readFileSync(at('vocab.tsv'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const counts = new Map<string, number>();
    for (const word of readFileSync(at('train.txt'), 'utf8').split(/\s+/))
      if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1);
    expect(new Map(rows.map(([word, count]) => [word, Number(count)]))).toEqual(counts);
    expect(rows.map(([, count]) => Number(count))).toEqual([...counts.values()].sort((a, b) => b - a));
    expect(stdout).toBe(
      `counted      ${[...counts.values()].reduce((a, b) => a + b).toLocaleString('en-US')} words, 20 different ones\nsaved        20 of them in vocab.tsv\n`,
    );
    expect(await vastmax(folder, 'vocab train.txt -o vocab.tsv')).toMatchObject({
      code: 2,
      stderr: 'vastmax: --output vocab.tsv already exists; replace it with --overwrite, or give another file\n',
    });
    expect(
      await vastmax(folder, 'vocab - --overwrite -o vocab.tsv --max-vocabulary 3 --min-count 2', 'b a a\na b c c'),
    ).toMatchObject({ code: 0 });
    expect(readFileSync(at('vocab.tsv'), 'utf8')).toBe('a\t3\nb\t2\nc\t2\n');
  });

  it('goes to standard output, and says why a file was not written', async () => {
    expect(await vastmax(folder, ['vocab', '-', '--letter-case', 'upper'], 'a\\ b A\\')).toEqual({
      code: 0,
      stdout: 'A\\\\\t2\nB\t1\n',
      stderr: '',
      progress: '',
    });
    const { code, stderr } = await vastmax(folder, 'vocab train.txt -o absent/vocab.tsv');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^vastmax: --output absent\/vocab\.tsv cannot be written: ENOENT: .*\n$/);
    expect(existsSync(at('absent'))).toBe(false);
  });
});

describe('tokenize', () => {
  it('prints a line for each line, by options or as a model reads', async () => {
    const text = 'The cat, well-being.\n\n  A  B\n';
    const run = (args: string): Promise<{ readonly stdout: string }> => vastmax(folder, `tokenize - ${args}`, text);
    expect((await run('')).stdout).toBe('The cat, well-being.\n\nA B\n');
    expect((await run('--tokenizer words --json')).stdout).toBe('["The","cat",",","well-being","."]\n[]\n["A","B"]\n');
    expect((await run('--tokenizer segmenter --lower-case')).stdout).toBe('the cat , well - being .\n\na b\n');
    expect((await run('--model model')).stdout).toBe('the cat , well-being .\n\na b\n');
    expect(await run('--model model --tokenizer words')).toMatchObject({
      code: 2,
      stderr: 'vastmax: --tokenizer would change how the text of model was read; leave it out, or leave --model out\n',
    });
  });

  it('stops when nobody reads on', async () => {
    writeFileSync(at('long.txt'), toySentences(100_000, 7));
    const command = new RunningCommand(['tokenize', 'long.txt'], folder);
    await command.waitFor('the');
    command.closeOutput();
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('predict --input', () => {
  interface Answer {
    readonly next: readonly { readonly word: string; readonly score: number }[];
  }
  const answersOf = (stdout: string): Answer[] =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);

  it('answers each prompt as it would alone, in order, whatever the batch', async () => {
    const prompts = [
      '"The lazy"',
      '{"id": 7, "prompt": ["the", "horse"]}',
      '',
      '"zebra and the black cat"',
      '""',
      '{"prompt": "the"}',
    ].join('\n');
    const run = (batch: number): ReturnType<typeof vastmax> =>
      vastmax(folder, `predict model --input - -k 4 --batch ${batch} --backend wasm`, prompts);
    const [byTwo, byMany] = await Promise.all([run(2), run(100)]);
    expect(byTwo).toMatchObject({ code: 0, stderr: '' });
    const answers = answersOf(byTwo.stdout);
    expect(answers).toMatchObject([
      { prompt: 'The lazy' },
      { id: 7, prompt: ['the', 'horse'] },
      { prompt: 'zebra and the black cat' },
      { prompt: '' },
      { prompt: 'the' },
    ]);
    for (const { next } of answers) expect(next).toHaveLength(4);
    const alone = JSON.parse(
      (await vastmax(folder, ['predict', 'model', 'The lazy', '-k', '4', '--json', '--backend', 'wasm'])).stdout,
    ) as Answer;
    for (const [i, answer] of [answers[0], answersOf(byMany.stdout)[0]].entries()) {
      expect(
        answer?.next.map(({ word }) => word),
        String(i),
      ).toEqual(alone.next.map(({ word }) => word));
      for (const [place, { score }] of (answer?.next ?? []).entries())
        expect(score).toBeCloseTo(alone.next[place]?.score ?? Number.NaN, 4);
    }
    expect(answersOf(byMany.stdout).map(({ next }) => next.map(({ word }) => word))).toEqual(
      answers.map(({ next }) => next.map(({ word }) => word)),
    );
  });

  it('reads a compressed file and keeps words above a threshold', async () => {
    writeFileSync(at('prompts.jsonl.gz'), gzipSync('"the lazy"\n'.repeat(1000)));
    const [all, some] = await Promise.all([
      vastmax(folder, 'predict model --input prompts.jsonl.gz -k 22'),
      vastmax(folder, 'predict model --input prompts.jsonl.gz -k 22 --threshold 4'),
    ]);
    const [everything, above] = [answersOf(all.stdout), answersOf(some.stdout)];
    expect([everything.length, above.length]).toEqual([1000, 1000]);
    expect(above[999]?.next).toEqual(everything[999]?.next.filter(({ score }) => score >= 4));
    expect(above[0]?.next.length).toBeGreaterThan(0);
    expect(above[0]?.next.length).toBeLessThan(22);
  });

  it('names the line that is no prompt, after the answers to those before it', async () => {
    const { code, stdout, stderr } = await vastmax(
      folder,
      'predict model --input - -k 1',
      '"the"\n\n{"text": "the"}\n"a"\n',
    );
    expect(code).toBe(1);
    expect(answersOf(stdout)).toMatchObject([{ prompt: 'the' }]);
    expect(stderr).toBe(
      'vastmax: predict: standard input: line 3: {"text": "the"} is no prompt; a string is needed, or an object whose "prompt" is a string or an array of words\n',
    );
    expect((await vastmax(folder, 'predict model --input -', '"the"\n{')).stderr).toMatch(
      /^vastmax: .*standard input: line 2: .* is not JSON .*\n$/,
    );
  });

  it('takes no prompt beside it, and nothing to continue', async () => {
    expect(await vastmax(folder, 'predict model the cat --input -')).toMatchObject({
      code: 2,
      stderr: "vastmax: the prompts come from --input -; leave 'the cat' out\n",
    });
    expect(await vastmax(folder, 'predict model --input - --continue 2')).toMatchObject({
      code: 2,
      stderr: 'vastmax: --continue is for one prompt, not for those of --input; leave it out\n',
    });
  });
});
