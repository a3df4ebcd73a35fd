/** Vectors that another encoder has made, with labels, through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { readEverything } from '@vastmax/checkpoints/testing';
import { RandomGenerator } from '@vastmax/sparse-data';
import { writeNpy } from '@vastmax/text-readers/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const width = 6;

/** Vectors around one of five centres, whose names are the labels; every third example is also of the kind `odd`. */
async function writeExamples(name: string, examples: number, seed: number): Promise<void> {
  const random = new RandomGenerator(seed);
  const vectors: number[][] = [];
  const labels: string[] = [];
  for (let i = 0; i < examples; i++) {
    const kind = random.integer(5);
    vectors.push(
      Array.from(
        { length: width },
        (_, j) => 20 * (j === kind ? 1 : 0) + 2 * random.normal() + (i % 3 === 0 && j === 5 ? 20 : 0),
      ),
    );
    labels.push(`kind ${kind}${i % 3 === 0 ? ';odd' : ''}`);
  }
  const rows = async function* (): AsyncGenerator<{ place: string; vector: readonly number[] }> {
    for (const [i, vector] of vectors.entries()) yield await Promise.resolve({ place: `row ${i + 1}`, vector });
  };
  await writeNpy(join(folder, `${name}.npy`), rows());
  writeFileSync(join(folder, `${name}.txt`), `${labels.join('\n')}\n`);
  writeFileSync(join(folder, `${name}.jsonl`), vectors.map((vector) => `${JSON.stringify({ v: vector })}\n`).join(''));
  writeFileSync(join(folder, `${name}.vec`), vectors.map((vector, i) => `item${i} ${vector.join(' ')}\n`).join(''));
}
await writeExamples('train', 300, 1);
await writeExamples('test', 60, 2);
const files = '--features train.npy --labels train.txt --label-separator ;';
const tested = '--features test.npy --labels test.txt --label-separator ; --limit 0';
const precisionAt1 = (stdout: string): number => Number(/^model +([\d.]+) %/m.exec(stdout)?.[1]);

interface Line {
  readonly row: number;
  readonly name?: string;
  readonly labels: readonly { readonly label: string }[];
}
const linesOf = (stdout: string): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('a classifier of vectors', () => {
  it('is trained with the defaults, evaluated, asked and gone on with', async () => {
    const trained = await vastmax(
      folder,
      `train ${files} -o model --epochs 30 --batch 16 --valid-features test.npy --valid-labels test.txt --backend wasm`,
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(/^output layer full: 6 labels; /m);
    expect(trained.stdout).toMatch(/^vectors +300 of 6 numbers, read from the file, 6 labels$/m);
    expect(trained.stdout).toMatch(/^body +vectors of 6, divided by \d[\d.]*, 0 parameters$/m);
    expect(precisionAt1(trained.stdout)).toBeGreaterThan(95);

    const evaluated = await vastmax(folder, `evaluate model ${tested} --top 1 --per-label --backend wasm`);
    expect(evaluated).toMatchObject({ code: 0, stderr: '' });
    expect(evaluated.stdout).toMatch(/^test\.npy, 60 examples:\n +P@1 +P@3/);
    expect(precisionAt1(evaluated.stdout)).toBe(precisionAt1(trained.stdout));
    expect(evaluated.stdout).toContain('kind 4');

    const predicted = await vastmax(folder, 'predict model --features test.vec -k 2 --batch 7 --backend wasm');
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    const lines = linesOf(predicted.stdout);
    expect(lines.map(({ row, name }) => [row, name])).toEqual(
      Array.from({ length: 60 }, (_, i) => [i + 1, `item${i}`]),
    );
    expect(lines[0]?.labels.map(({ label }) => label)).toContain('odd');

    const neighbours = await vastmax(folder, ['neighbors', 'model', 'odd', '-k', '2', '--vectors', 'output']);
    expect(neighbours.stdout).toMatch(/^odd: kind \d/);
    const resumed = await vastmax(folder, `train ${files} -o model --resume --epochs 31 --backend wasm`);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'model')));
    expect(checkpoint.configuration).toMatchObject({
      examples: 31 * 300,
      model: { body: { kind: 'dense' }, output: { kind: 'full' } },
    });
  });

  it('with hidden layers, blocks and a held-out share is, to the bit, one that was interrupted', async () => {
    const settings = `${files} --hold-out 0.2 --hidden 12 --layer-norm --dropout 0.1 --shuffle-blocks 1 --batch 16 --body-rate 0.01 --output-rate 1 --output-layer full --schedule constant --backend wasm`;
    const whole = await vastmax(folder, `train ${settings} -o whole --epochs 6`);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/^vectors +\d+ of 6 numbers, read from the file, 6 labels, \d+ more held out$/m);
    expect(whole.stdout).toMatch(/^body +vectors of 6, divided by \S+ → relu of layer norm 12, \d+ parameters$/m);
    expect(whole.stdout).toMatch(/^held-out examples, \d+ examples:$/m);
    await vastmax(folder, `train ${settings} -o parts --epochs 2`);
    const resumed = await vastmax(
      folder,
      `train --features train.jsonl --features-array v --labels train.txt --valid-features test.npy --valid-labels test.txt -o parts --resume --epochs 6 --body-rate 0.01`,
    );
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    const weights = async (out: string): Promise<unknown> => {
      const { modules, texts } = (await readEverything(join(folder, out))) as Record<string, unknown>;
      return { modules, texts };
    };
    expect(await weights('parts')).toEqual(await weights('whole'));
  });

  it('of f64 is gone on with at f64', async () => {
    const json = '--features train.jsonl --features-array v --labels train.txt';
    const settings =
      '--precision f64 --output-layer full --rates default --schedule constant --batch 16 --backend plain';
    const trained = await vastmax(folder, `train ${json} --label-separator ; -o double ${settings} --epochs 1`);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const resumed = await vastmax(folder, `train ${json} -o double --resume --epochs 2`);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    const useless = await vastmax(folder, `train ${json} -o double --resume --epochs 3 --body-rate 0.1`);
    expect([useless.code, useless.stderr]).toEqual([
      2,
      expect.stringContaining('--body-rate is an option of hidden layers'),
    ]);
  });

  it('refuses numbers that are not finite in its precision, with file and row', async () => {
    const vectors = async function* (value: number): AsyncGenerator<{ place: string; vector: readonly number[] }> {
      for (let row = 0; row < 20; row++)
        yield await Promise.resolve({ place: `row ${row + 1}`, vector: [1, 2, 3, 4, row === 10 ? value : 5, 6] });
    };
    await writeNpy(join(folder, 'nan.npy'), vectors(Number.NaN));
    await writeNpy(join(folder, 'large.npy'), vectors(1e300), { precision: 'f64' });
    writeFileSync(join(folder, 'twenty.txt'), 'kind 0\nkind 1\n'.repeat(10));
    for (const [file, value] of [
      ['nan.npy', 'NaN'],
      ['large.npy', '1e+300'],
    ] as const)
      for (const command of [
        `predict model --features ${file} --batch 4`,
        `evaluate model --features ${file} --labels twenty.txt`,
        `train --features ${file} --labels twenty.txt -o bad --rates default`,
        `train --features ${file} --labels twenty.txt -o bad --output-layer ridge`,
      ]) {
        const ended = await vastmax(folder, `${command} --backend wasm`);
        expect([command, ended.code, ended.stderr]).toEqual([
          command,
          1,
          expect.stringContaining(`${file}: row 11: number 5 is ${value}; one that is finite in f32 is needed`),
        ]);
      }
  });

  it('is fitted in one pass as a ridge head', async () => {
    const fitted = await vastmax(folder, `train ${files} -o ridge --output-layer ridge --hold-out 0.2 --backend wasm`);
    expect(fitted).toMatchObject({ code: 0, stderr: '' });
    expect(fitted.stdout).toMatch(/^output +ridge, 42 parameters$/m);
    expect(fitted.stdout).toMatch(/^lambda +\S+, by generalised cross-validation; \d+ degrees of freedom$/m);
    expect(precisionAt1(fitted.stdout)).toBeGreaterThan(95);
    const evaluated = await vastmax(folder, `evaluate ridge ${tested} --backend wasm`);
    expect(precisionAt1(evaluated.stdout)).toBeGreaterThan(95);
    const predicted = await vastmax(folder, 'predict ridge --features test.npy -k 1 --backend wasm');
    expect(linesOf(predicted.stdout)).toHaveLength(60);
    expect((await vastmax(folder, 'inspect ridge')).stdout).toContain('6 labels');
    const again = await vastmax(folder, `train ${files} -o ridge --resume`);
    expect(again.stderr).toContain('ridge holds a ridge head, which was fitted in one pass');
    expect(again.code).toBe(2);
  });

  it('is planned without a trace', async () => {
    for (const layer of ['sampled', 'ridge']) {
      const planned = await vastmax(folder, `train ${files} -o none --dry-run --output-layer ${layer} --backend wasm`);
      expect(planned).toMatchObject({ code: 0, stderr: '' });
      expect(planned.stdout).toMatch(/^dry run: nothing was (trained|fitted) and nothing written$/m);
    }
  });

  it('refuses what does not fit, and says what would', async () => {
    writeFileSync(join(folder, 'short.txt'), 'a\nb\n');
    const wide = await writeNpy(join(folder, 'wide.npy'), one([1, 2, 3]));
    expect(wide).toEqual({ rows: 1, columns: 3 });
    for (const [args, code, problem] of [
      ['train --features train.npy -o x', 2, '--features needs --labels too'],
      [
        'train --features train.npy --labels short.txt -o x',
        1,
        'short.txt has 2 lines of labels, train.npy has 300 vectors',
      ],
      [`train ${files} -o x --order 3`, 2, '--order is an option of texts, points or interactions, not of --features'],
      [`train ${files} -o x --model lstm`, 2, '--model lstm reads words'],
      [`train ${files} -o x --layer-norm`, 2, '--layer-norm is an option of hidden layers'],
      [`train ${files} -o x --clip-norm 1`, 2, '--clip-norm is an option of hidden layers'],
      [`train ${files} -o x --body-rate 1`, 2, '--body-rate is an option of hidden layers'],
      [`train ${files} -o x --hold-out 1`, 2, '--hold-out must be a number of at least 0 and less than 1'],
      [`train ${files} -o x --valid-features test.npy`, 2, 'belong together'],
      [
        `train ${files} -o x --valid-features wide.npy --valid-labels test.txt`,
        1,
        'wide.npy has vectors of 3 numbers, the model is of 6',
      ],
      [`train ${files} -o x --output-layer ridge --epochs 2`, 2, '--epochs is no option of --output-layer ridge'],
      [`train toy.txt -o x --output-layer ridge`, 2, '--output-layer ridge is fitted to --features'],
      [`train toy.txt -o x --labels train.txt`, 2, '--labels is an option of --features'],
      [`train toy.txt ${files} -o x`, 2, "--features are vectors; leave the argument 'text' out"],
      ['train --features none.npy --labels train.txt -o x', 1, 'there is no file none.npy'],
      ['predict model some words', 2, 'model holds a classifier of vectors; ask it with --features'],
      ['predict model --features wide.npy', 1, 'wide.npy has vectors of 3 numbers, the model is of 6'],
      ['evaluate model --features test.npy', 2, 'give --features and --labels'],
      ['predict model --features test.jsonl', 1, 'line 1 is an object of "v"'],
    ] as const) {
      const ended = await vastmax(folder, args);
      expect([args, ended.code, ended.stderr]).toEqual([args, code, expect.stringContaining(problem)]);
    }
  });

  it('prints a configuration that gives the same', async () => {
    const printed = await vastmax(folder, `train ${files} -o configured --hidden 8 --output-layer full --print-config`);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(folder, 'config.json'), printed.stdout);
    const planned = await vastmax(folder, 'train --config config.json --dry-run --backend wasm');
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toContain('relu 8');
  });
});

async function* one(vector: readonly number[]): AsyncGenerator<{ place: string; vector: readonly number[] }> {
  yield await Promise.resolve({ place: 'row 1', vector });
}
