/** One small model, and everything that is asked of it. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax, type Ended } from '../vastmax.ts';

const folder = createScratchFolder();
let training: Ended;

interface Metrics {
  readonly examples: number;
  readonly topAccuracy: Readonly<Record<string, number>>;
  readonly meanReciprocalRank: number;
  readonly perplexity?: number;
}

/** A row of the metrics table, in numbers. */
function rowOf(output: string, name: string): number[] {
  const row = output.split('\n').find((line) => line.startsWith(name)) ?? '';
  return row.slice(name.length).replaceAll('%', '').trim().split(/\s+/).map(Number);
}

beforeAll(async () => {
  training = await vastmax(folder, `train train.txt --valid valid.txt -o model ${toyModel} --epochs 4 --evaluate 0`);
});

describe('train', () => {
  it('says before it starts what it will train and what that costs', () => {
    expect(training.code).toBe(0);
    const plan = training.stdout.slice(0, training.stdout.indexOf('trained '));
    expect(plan).toMatch(/^backend +(openblas|wasm) f32.* \(.+\)/m);
    expect(plan).toMatch(/^vocabulary +22 words$/m);
    expect(plan).toMatch(/^output +factored, z-loss \(a = 0\.1, b = 10\), 374 parameters$/m);
    // 22·8 embeddings, (3·8 + 1)·16 weights.
    expect(plan).toMatch(/^body +3 words of 8 → tanh 16, 576 parameters$/m);
    expect(plan).toMatch(/^memory +\d+\.\d KiB$/m);
    expect(plan).toMatch(/^training +[\d,]+ examples, minibatches of 32, about \d+\.\d s$/m);
  });

  it('ends with throughput, the place of the model, and ranks that beat the unigram baseline', () => {
    expect(training.stdout).toMatch(/^trained +[\d,]+ examples in \d+\.\d s, [\d,]+ examples\/s$/m);
    expect(training.stdout).toMatch(/^saved +model$/m);
    expect(training.stdout).toMatch(/held-out text, \d+ words:\n +top-1 +top-10 +top-100 +MRR +perplexity$/m);
    const [top1 = 0, top10 = 0, , reciprocalRank = 0] = rowOf(training.stdout, 'model');
    const [unigramTop1 = 0, unigramTop10 = 0, , unigramReciprocalRank = 0] = rowOf(training.stdout, 'unigram');
    expect(top1).toBeGreaterThan(unigramTop1 + 20);
    expect(top10).toBeGreaterThan(unigramTop10 + 5);
    expect(reciprocalRank).toBeGreaterThan(unigramReciprocalRank + 0.2);
  });

  it('writes nothing but results to standard output, and no control sequences to a pipe', () => {
    expect(training.stderr).toBe('');
    expect(training.stdout).not.toContain('\u001B');
  });
});

describe('evaluate', () => {
  it('prints the table of the training again, and the same numbers as JSON', async () => {
    const [text, json] = await Promise.all([
      vastmax(folder, 'evaluate model valid.txt --limit 0'),
      vastmax(folder, 'evaluate model valid.txt --limit 0 --json'),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    const afterTraining = training.stdout.split('\n').slice(-4);
    expect(text.stdout.split('\n').slice(-4)).toEqual(afterTraining);
    const parsed = JSON.parse(json.stdout) as Record<'model' | 'unigram', Metrics>;
    for (const name of ['model', 'unigram'] as const) {
      const { topAccuracy, meanReciprocalRank, perplexity = Number.NaN } = parsed[name];
      const expected = [
        ...['1', '10', '100'].map((top) => (100 * (topAccuracy[top] ?? 0)).toFixed(1)),
        meanReciprocalRank.toFixed(3),
        perplexity.toFixed(1),
      ];
      expect(rowOf(text.stdout, name)).toEqual(expected.map(Number));
    }
    expect(parsed.model.examples).toBe(parsed.unigram.examples);
  });
});

describe('predict', () => {
  it('lists the next words, the best first, and continues the text', async () => {
    const { code, stdout, stderr } = await vastmax(folder, 'predict model --top 3 --continue 4 the cat sleeps');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [header, first, ...rest] = stdout.trimEnd().split('\n');
    expect(header).toMatch(/^word +score$/);
    expect(first).toMatch(/^(and|<eos>) +-?\d+\.\d{3}$/);
    expect(rest.filter((line) => /^\S+ +-?\d+\.\d{3}$/.test(line))).toHaveLength(2);
    // To the end of the line at most, which is not printed.
    expect(rest.at(-1)).toMatch(/^the cat sleeps( (?!<eos>)\S+){0,4}$/);
  });

  it('draws the words of a continuation, the same ones for a seed', async () => {
    const drawn = 'predict model the cat --continue 12 --temperature 2 --top-k 8 --top-p 0.95 --json --seed';
    const [first, again, other] = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const { code, stdout, stderr } = await vastmax(folder, `${drawn} ${seed}`);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        return (JSON.parse(stdout) as { continued: string[] }).continued;
      }),
    );
    expect(first?.length).toBeLessThanOrEqual(14);
    expect(first).not.toContain('<eos>');
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(await vastmax(folder, 'predict model the cat --top-p 0.9')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('are of --continue; give it how many words') as string,
    });
  });

  it('gives the same as JSON and notes words that it does not know', async () => {
    const { code, stdout, stderr } = await vastmax(folder, [
      'predict',
      'model',
      'the zebra and',
      'the cat',
      '--json',
      '-k',
      '2',
      '--continue',
      '1',
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe('not in the vocabulary: zebra\n');
    const { prompt, next, continued } = JSON.parse(stdout) as {
      prompt: string[];
      next: { word: string; score: number }[];
      continued: string[];
    };
    expect(prompt).toEqual(['the', 'zebra', 'and', 'the', 'cat']);
    expect(next.map(({ word }) => word)).toContain('sleeps');
    expect(next[0]?.score).toBeGreaterThan(next[1]?.score ?? Infinity);
    expect(continued).toEqual([...prompt, next[0]?.word]);
  });
});

describe('neighbors', () => {
  it('lists words by their vectors, as text and as JSON', async () => {
    const [text, json] = await Promise.all([
      vastmax(folder, 'neighbors model cat sings -k 3'),
      vastmax(folder, 'neighbors model cat --vectors input --json -k 3'),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^cat: \S+ -?\d\.\d\d, \S+ -?\d\.\d\d, \S+ -?\d\.\d\d\nsings: .*\n$/);
    const { cat } = JSON.parse(json.stdout) as Record<string, { word: string; similarity: number }[]>;
    expect(cat).toHaveLength(3);
    expect(cat?.map(({ word }) => word)).not.toContain('cat');
    for (const { similarity } of cat ?? []) expect(Math.abs(similarity)).toBeLessThanOrEqual(1);
  });

  it('refuses a word that is not in the vocabulary', async () => {
    expect(await vastmax(folder, 'neighbors model cat zebra')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'vastmax: not in the vocabulary of model: zebra\n',
    });
  });
});

describe('inspect', () => {
  it('shows what the checkpoint holds, as text and as JSON', async () => {
    const [text, json] = await Promise.all([
      vastmax(folder, ['inspect', join(folder, 'model')]),
      vastmax(folder, 'inspect model --json'),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain('checksums verified');
    expect(text.stdout).toMatch(/^step [\d,]+, [\d,]+ examples, vocabulary of 22 words$/m);
    expect(text.stdout).toMatch(/^body\/embeddings +f32 +22×8$/m);
    const { words, configuration, tensors } = JSON.parse(json.stdout) as {
      words: number;
      configuration: { step: number; examples: number; model: { output: { loss: { name: string } } } };
      tensors: { module: string; name: string; rows: number; columns: number }[];
    };
    expect(words).toBe(22);
    expect(configuration.model.output.loss.name).toBe('z-loss');
    expect(configuration.examples).toBeGreaterThan(4 * 5000);
    expect(tensors).toContainEqual({ module: 'body', name: 'embeddings', precision: 'f32', rows: 22, columns: 8 });
  });
});
