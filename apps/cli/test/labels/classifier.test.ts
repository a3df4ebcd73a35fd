/** Labelled points through the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { readEverything } from '@vastmax/checkpoints/testing';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

/** Label 3 or 0 follows from the first feature; label 2 is everywhere, label 1 nowhere. */
function writePoints(file: string, points: number): void {
  const line = (i: number): string => `${i % 2 === 0 ? 3 : 0},2 ${i % 2}:1 ${2 + (i % 3)}:0.5`;
  writeFileSync(join(folder, file), `${points} 5 4\n${Array.from({ length: points }, (_, i) => line(i)).join('\n')}\n`);
}
writePoints('train.xmc', 60);
writePoints('test.xmc', 20);
const options = '--model classifier --embedding 8 --batch 8 --body-rate 0.03 --backend wasm';

describe('a classifier', () => {
  it('is trained, evaluated beside the most frequent labels, asked, and gone on with', async () => {
    const trained = await vastmax(
      folder,
      `train train.xmc -o model ${options} --output-layer full --epochs 20 --valid test.xmc`,
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(/^points +60 of 5 features, 4 labels$/m);
    expect(trained.stdout).toMatch(/^body +a bag of features → relu 8, 48 parameters$/m);
    expect(trained.stdout).toMatch(/^peak memory +\d/m);
    const evaluated = await vastmax(folder, 'evaluate model test.xmc --limit 0 --backend wasm');
    expect(evaluated.stdout.split('\n').slice(-4)).toEqual(trained.stdout.split('\n').slice(-4));
    expect(evaluated.stdout).toMatch(
      /^test\.xmc, 20 points:\n +P@1 +P@3 .*\nmodel +100\.0 % +66\.7 % +40\.0 % +100\.0 % +1\.000/,
    );

    const predicted = await vastmax(folder, 'predict model --input test.xmc -k 2 --batch 3 --backend wasm');
    expect(predicted).toMatchObject({ code: 0, stderr: '' });
    const lines = predicted.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; labels: { label: number }[] });
    expect(lines.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
    expect(lines.slice(0, 2).map(({ labels }) => new Set(labels.map(({ label }) => label)))).toEqual([
      new Set([2, 3]),
      new Set([2, 0]),
    ]);
    const unlabelled = await vastmax(
      folder,
      ['predict', 'model', '--input', '-', '-k', '9', '--threshold', '-1e9'],
      '1 5 4\n 0:1\n',
    );
    expect((JSON.parse(unlabelled.stdout) as { labels: unknown[] }).labels).toHaveLength(4);

    expect((await vastmax(folder, 'inspect model')).stdout).toMatch(/^step 160, 1,200 examples, 4 labels$/m);
    const resumed = await vastmax(folder, 'train train.xmc -o model --model classifier --resume --epochs 21');
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'model')));
    expect(checkpoint.configuration).toMatchObject({
      examples: 1260,
      exampleSettings: { model: 'classifier' },
      training: { optimizer: 'adam' },
    });
  });

  it('with its points on the disk is, to the bit, one with its points in memory, also when it goes on', async () => {
    const settings = `${options} --output-layer full --rates default --epochs 3`;
    for (const [out, more] of [
      ['held', ''],
      ['read', ' --points-on-disk'],
    ] as const) {
      const trained = await vastmax(folder, `train train.xmc -o ${out} ${settings}${more}`);
      expect(trained).toMatchObject({ code: 0, stderr: '' });
      const resumed = await vastmax(folder, `train train.xmc -o ${out} --model classifier --resume --epochs 5`);
      expect(resumed).toMatchObject({ code: 0, stderr: '' });
    }
    const weights = async (out: string): Promise<unknown> => {
      const { modules, texts } = (await readEverything(join(folder, out))) as Record<string, unknown>;
      return { modules, texts };
    };
    expect(await weights('read')).toMatchObject({ modules: {}, texts: {} });
    expect(await weights('read')).toEqual(await weights('held'));
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'read')));
    expect(checkpoint.configuration['pointsHash']).toMatch(/^file:[0-9a-f]{64}$/);
    expect(
      await vastmax(folder, `train train.xmc -o texts --label-format csv --points-on-disk ${options}`),
    ).toMatchObject({ code: 2 });
  });

  it("works with a layer that has frequent classes apart, whatever the labels' numbers", async () => {
    const trained = await vastmax(
      folder,
      `train train.xmc -o hybrid ${options} --output-layer hybrid --head-size 2 --epochs 20 --valid test.xmc`,
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(Number(/^model +(\d+\.\d) %/m.exec(trained.stdout)?.[1])).toBeGreaterThan(90);
  });

  it.each([
    [
      'train train.xmc -o refused --model classifier --lower-case',
      2,
      '--lower-case is an option of models over words, not of classifier',
    ],
    ['train train.xmc -o refused --model classifier --steps 3', 2, '--steps is an option of models over words'],
    ['train train.txt -o refused --model classifier', 1, 'is not a header'],
    [
      'train train.xmc -o refused --model classifier --valid other.xmc',
      1,
      'other.xmc has points of 6 features and 4 labels, the model is of 5 and 4',
    ],
    ['evaluate model other.xmc', 1, 'other.xmc has points of 6 features'],
    ['evaluate model test.xmc --similarity pairs.tsv', 2, 'which has no --similarity; leave it out'],
    ['neighbors model cat', 2, 'model holds a classifier of points, which has no words'],
    ['train train.txt -o model --resume', 2, 'model holds a classifier; add --model classifier'],
    [
      'train test.xmc -o model --model classifier --resume',
      2,
      'test.xmc does not hold the points that model was trained on',
    ],
  ])('%s is refused', async (command, code, message) => {
    writeFileSync(join(folder, 'other.xmc'), '1 6 4\n0 0:1\n');
    const ended = await vastmax(folder, command);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(message);
  });

  it('counts points without a label, in training and evaluation', async () => {
    writeFileSync(join(folder, 'some.xmc'), '4 5 4\n3,2 0:1\n 1:1\n0,2 1:1\n 2:1\n');
    const trained = await vastmax(folder, `train some.xmc -o some ${options} --output-layer full --valid some.xmc`);
    expect(trained.code).toBe(0);
    expect(trained.stderr).toBe(
      'vastmax: warning: 2 of the 4 points of some.xmc have no label; they are trained on as points that none is right for\n',
    );
    expect(trained.stdout).toContain('held-out points, 2 points (2 without a label are left out):\n');
    const evaluated = await vastmax(folder, 'evaluate some some.xmc --json --backend wasm');
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ model: { examples: 2, unlabelled: 2 } });
  });

  it.each([
    ['train none.xmc -o refused --model classifier', '2 5 4\n 0:1\n 1:1\n', 'none of its 2 points has a label'],
    [
      'train train.xmc -o refused --model classifier --valid none.xmc',
      '1 5 4\n 0:1\n',
      'none.xmc: none of its 1 points',
    ],
    ['evaluate model none.xmc', '1 5 4\n 0:1\n', 'none.xmc: none of its 1 points has a label'],
    ['evaluate model none.xmc --limit 1', `9 5 4\n${' 0:1\n'.repeat(8)}1 0:1\n`, 'points of the sample has a label'],
    [
      'train none.xmc -o refused --model classifier',
      '2 5 4\n3 0:1\n3 1:1\n',
      'label 3 is the only one that its points have',
    ],
    ['train none.xmc -o refused --model classifier', '2 5 1\n0 0:1\n 1:1\n', 'label 0 is the only one'],
    [
      'train none.xmc -o refused --model classifier',
      '1 5 200000000\n0 0:1\n',
      'a classifier has at most 40,000,000 labels',
    ],
    [
      'train none.xmc -o refused --model classifier --embedding 100000',
      '2 2000000000 40000000\n0 0:1\n1 1:1\n',
      'says 2,000,000,000 features and 40,000,000 labels: the model alone takes',
    ],
    ['train none.xmc -o refused --model classifier', '1 5 2147483648\n0 0:1\n', 'at most 2147483647, are needed'],
  ])('%s of labels %j is refused', async (command, content, message) => {
    writeFileSync(join(folder, 'none.xmc'), content);
    const ended = await vastmax(folder, command);
    expect(ended).toMatchObject({ stdout: '' });
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toMatch(/^vastmax: .*\n$/);
  });

  it('is warned of labels that do not occur', async () => {
    writeFileSync(join(folder, 'many.xmc'), '2 5 20000\n0 0:1\n1 1:1\n');
    const planned = await vastmax(folder, `train many.xmc -o refused ${options} --dry-run`);
    expect(planned).toMatchObject({
      code: 0,
      stderr:
        'vastmax: warning: the first line of many.xmc says 20,000 labels, of which its points have 2; is the line right?\n',
    });
  });
});
