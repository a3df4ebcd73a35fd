import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const write = (file: string, value: unknown): void => {
  writeFileSync(join(folder, file), typeof value === 'string' ? value : JSON.stringify(value));
};

interface Schema {
  readonly additionalProperties: boolean;
  readonly properties: Readonly<
    Record<
      string,
      {
        readonly type?: string;
        readonly enum?: readonly string[];
        readonly minimum?: number;
        readonly default?: unknown;
      }
    >
  >;
}

describe('--print-config', () => {
  it('prints what --config reads to the same effect, every key of it in the schema', async () => {
    const printed = await vastmax(
      folder,
      `train train.txt -o model ${toyModel} --hidden 24,16 --loss taylor --lower-case --min-count 2 --print-config`,
    );
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    const config = JSON.parse(printed.stdout) as Record<string, unknown>;
    expect(config).toMatchObject({
      $schema: 'train-config.schema.json',
      text: 'train.txt',
      out: 'model',
      order: 3,
      hidden: [24, 16],
      loss: 'taylor-softmax',
      lowerCase: true,
      minCount: 2,
      schedule: 'linear',
    });
    for (const absent of ['printConfig', 'config', 'resume', 'overwrite', 'outputRate', 'dryRun'])
      expect(config).not.toHaveProperty(absent);
    write('train.json', printed.stdout);
    expect(await vastmax(folder, 'train --config train.json --print-config')).toEqual(printed);

    const schema = JSON.parse((await vastmax(folder, 'train --print-config-schema')).stdout) as Schema;
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(config)));
    expect(schema.properties).toMatchObject({
      epochs: { type: 'integer', minimum: 1 },
      checkpointEvery: { type: 'integer', minimum: 1, default: 120 },
      hidden: { type: 'array', items: { type: 'integer', minimum: 1 } },
      optimizer: { enum: ['sgd', 'momentum', 'adagrad', 'adam'] },
      lowerCase: { type: 'boolean' },
      dropout: { type: 'number', minimum: 0, exclusiveMaximum: 1 },
      finalFactor: { type: 'number', minimum: 0, maximum: 1 },
      outputRate: { type: 'number', minimum: 0 },
      valid: { type: 'string' },
    });
    expect(existsSync(join(folder, 'model'))).toBe(false);
  });

  it('says what the options that are not set come to, and does not bind them', async () => {
    const printed = await vastmax(folder, 'train train.txt -o model --loss taylor --body-rate 3 --print-config');
    const { $defaults: defaults } = JSON.parse(printed.stdout) as { $defaults: unknown };
    expect(defaults).toEqual({
      embedding: 100,
      batch: 256,
      epochs: 1,
      order: 5,
      hidden: [128],
      dropout: 0,
      activation: 'tanh',
      initialScale: 0.003,
      outputRate: 20,
      optimizer: 'sgd',
    });
    write('taylor.json', printed.stdout);
    const other = JSON.parse(
      (await vastmax(folder, 'train --config taylor.json --loss z-loss --print-config')).stdout,
    ) as { $defaults: unknown };
    expect(other).toMatchObject({ bodyRate: 3, $defaults: { outputRate: 1, zA: 0.1, zB: 10, initialScale: 0.01 } });
    const lstm = JSON.parse(
      (await vastmax(folder, 'train --model lstm --output-layer sampled --print-config')).stdout,
    ) as { $defaults: unknown };
    expect(lstm).toMatchObject({
      $defaults: {
        steps: 16,
        hidden: [128],
        optimizer: 'adam',
        bodyRate: 0.003,
        clipNorm: 5,
        samples: 500,
        proposal: 'unigram',
      },
    });
    expect(lstm.$defaults).not.toHaveProperty('order');
    const classifier = JSON.parse(
      (await vastmax(folder, 'train --model classifier --output-layer full --print-config')).stdout,
    ) as { $defaults: unknown };
    expect(classifier.$defaults).toEqual({
      embedding: 100,
      batch: 256,
      epochs: 1,
      hidden: [],
      dropout: 0.2,
      activation: 'relu',
      labelSmoothing: 0,
      outputOptimizer: 'sgd',
      initialScale: 0.01,
      // The body's rate depends on the data.
      outputRate: 8,
      optimizer: 'adam',
    });
  });

  it('prints the defaults alone, without text and folder', async () => {
    const { code, stdout } = await vastmax(folder, 'train --print-config');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).not.toHaveProperty('text');
  });
});

describe('--config', () => {
  it('trains a whole run; the command line wins, wherever it stands, and --resume accepts it again', async () => {
    write('run.json', {
      text: 'train.txt',
      out: 'run',
      order: 3,
      embedding: 8,
      hidden: [16],
      batch: 32,
      epochs: 7,
      seed: 5,
      lowerCase: false,
    });
    const first = await vastmax(folder, 'train --epochs 2 --config run.json --seed 6');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    {
      await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'run')));
      expect(checkpoint.configuration).toMatchObject({
        batchSize: 32,
        options: { epochs: 2, seed: 6, order: 3, hidden: [16] },
        model: { body: { order: 3, seed: 6 } },
      });
    }
    const again = await vastmax(folder, 'train --config run.json --seed 6 --epochs 3 --resume');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/^training .* examples/m);
    const differs = await vastmax(folder, 'train --config run.json --resume');
    expect(differs).toMatchObject({ code: 2, stdout: '' });
    expect(differs.stderr).toContain('--seed is 5, but the run in run has 6');
  });

  it.each([
    ['{', /^vastmax: --config bad\.json is not JSON: .*\n$/],
    ['[]', /^vastmax: --config bad\.json holds an array; an object of options is needed\n$/],
    ['null', /^vastmax: --config bad\.json holds null; an object of options is needed\n$/],
    [{ epoch: 3 }, /^vastmax: bad\.json: "epoch" is no option of vastmax train; see --print-config-schema for all\n$/],
    [{ printConfig: true }, /^vastmax: bad\.json: "printConfig" is no option of vastmax train/],
    [{ epochs: '3' }, /^vastmax: bad\.json: "epochs" is "3"; a number is needed\n$/],
    [
      { epochs: 0.5 },
      /^vastmax: bad\.json: "epochs" is wrong: --epochs must be a whole number of at least 1, got '0\.5'\n$/,
    ],
    [{ hidden: 128 }, /^vastmax: bad\.json: "hidden" is 128; an array of numbers is needed\n$/],
    [
      { hidden: [] },
      /^vastmax: bad\.json: "hidden" is wrong: --hidden must be a whole number of at least 1, got ''\n$/,
    ],
    [{ lowerCase: 1 }, /^vastmax: bad\.json: "lowerCase" is 1; true or false is needed\n$/],
    [
      { optimizer: 'lion' },
      /^vastmax: bad\.json: "optimizer" is "lion"; Allowed choices are sgd, momentum, adagrad, adam\.\n$/,
    ],
    [{ loss: 'hinge' }, /^vastmax: bad\.json: "loss" is wrong: --loss must be one of z-loss/],
    [{ text: 3 }, /^vastmax: bad\.json: "text" is 3; a string is needed\n$/],
  ])('refuses %j, naming file and key', async (config, message) => {
    const own = `bad-${Math.random()}`;
    expect(existsSync(join(folder, own))).toBe(false);
    write('bad.json', config);
    const { code, stdout, stderr } = await vastmax(folder, `train train.txt -o ${own} --config bad.json`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('has a limit, and says what it is', async () => {
    write('long.json', `{"hidden": [${'1,'.repeat(2 ** 20)}1]}`);
    const { code, stderr } = await vastmax(folder, 'train train.txt -o never --config long.json');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'vastmax: --config long.json has more than 1048576 bytes, the limit; options take some thousand\n',
    );
  });

  it('is refused with a short message for a value nested without end', async () => {
    write('deep.json', `{"epochs": ${'['.repeat(100_000)}${']'.repeat(100_000)}, "hidden": "x"}`);
    const { code, stderr } = await vastmax(folder, 'train train.txt -o never --config deep.json');
    expect(code).toBe(2);
    expect(stderr).toBe('vastmax: deep.json: "epochs" is [...]; a number is needed\n');
  });

  it('names a file that cannot be read', async () => {
    const { code, stderr } = await vastmax(folder, 'train train.txt -o model --config nowhere.json');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^vastmax: --config nowhere\.json cannot be read: ENOENT: .*\n$/);
  });
});

describe('--dry-run', () => {
  it('prints the plan with memory, disk and time, and writes nothing', async () => {
    const { code, stdout, stderr } = await vastmax(
      folder,
      `train train.txt -o dry ${toyModel} --optimizer adam --log dry.jsonl --tensorboard events --dry-run`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^memory +[\d.]+ KiB$/m);
    expect(stdout).toMatch(
      /^training +5,\d{3} examples, minibatches of 32, about \d+\.\d s\ntext +5,\d{3} words, 21\.\d KiB of memory\ncheckpoint +[\d.]+ KiB; twice that on the disk while one replaces another\ndry run: nothing was trained and nothing written\n$/m,
    );
    for (const file of ['dry', 'dry.jsonl', 'events']) expect(existsSync(join(folder, file))).toBe(false);
  });

  it('knows the size of the checkpoint', async () => {
    const dry = await vastmax(folder, `train train.txt -o sized ${toyModel} --dry-run`);
    await vastmax(folder, `train train.txt -o sized ${toyModel}`);
    const said = 1024 * Number(/^checkpoint +([\d.]+) KiB/m.exec(dry.stdout)?.[1]);
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'sized')));
    const tensors = checkpoint.moduleNames.flatMap((module) => checkpoint.module(module).tensors);
    const bytes = tensors.reduce(
      (sum, { rows, columns, precision }) => sum + rows * columns * (precision === 'f64' ? 8 : 4),
      0,
    );
    // Maps of closed generations come on top: d×d each, much for so small a model.
    expect(said).toBeGreaterThan(0.7 * bytes);
    expect(said).toBeLessThan(1.01 * bytes);
  });
});
