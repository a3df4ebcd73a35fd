/** A model on disk: what damages it is told, and nothing replaces it unasked. */
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel, toySentences } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const train = `train train.txt ${toyModel} --loss squared-error`;

/** Of the model in the folder, after a check of all its bytes. */
async function stepOf(model: string): Promise<number> {
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
  return Number(checkpoint.configuration['step']);
}

function copyModel(name: string): { readonly manifest: string; readonly weights: string } {
  cpSync(join(folder, 'model'), join(folder, name), { recursive: true });
  const weights = readdirSync(join(folder, name)).find((file) => file.endsWith('.safetensors')) ?? 'no weights';
  return { manifest: join(folder, name, 'checkpoint.json'), weights: join(folder, name, weights) };
}

beforeAll(async () => {
  expect(await vastmax(folder, `${train} -o model`)).toMatchObject({ code: 0 });
});

describe('a model that cannot be read', () => {
  const expectRefusal = async (args: string, pattern: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await vastmax(folder, args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(pattern);
    expect(stderr).toMatch(/^vastmax: .*\n$/);
  };

  it('is said to be missing', async () => {
    await expectRefusal('predict nowhere the cat', /there is no directory nowhere/);
  });

  it('is said to be truncated, with both sizes', async () => {
    const { weights } = copyModel('truncated');
    const { length } = readFileSync(weights);
    truncateSync(weights, length - 100);
    await expectRefusal(
      'predict truncated the cat',
      new RegExp(`${weights.slice(folder.length + 1)} is truncated: it has ${length - 100} bytes of ${length}`),
    );
  });

  it('is said to be corrupted when a byte has changed', async () => {
    const { weights } = copyModel('corrupted');
    const bytes = readFileSync(weights);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 1, bytes.length - 5);
    writeFileSync(weights, bytes);
    await expectRefusal(
      'evaluate corrupted valid.txt',
      /is corrupted: its SHA-256 is [0-9a-f]{64}; [0-9a-f]{64} was written/,
    );
  });

  it('is said to be no JSON', async () => {
    const { manifest } = copyModel('cut');
    truncateSync(manifest, 100);
    await expectRefusal('inspect cut', /cut\/checkpoint\.json \(100 bytes\) is not JSON/);
    await expectRefusal('train train.txt --resume -o cut', /cut\/checkpoint\.json \(100 bytes\) is not JSON/);
  });
});

describe('train into a folder', () => {
  it('that holds a model refuses, unless it may overwrite', async () => {
    copyModel('kept');
    const before = await stepOf('kept');
    const refused = await vastmax(folder, `${train} -o kept`);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toBe(
      `vastmax: kept holds a model (step ${before}); replace it with --overwrite, go on from it with --resume, or give another folder\n`,
    );
    expect(await stepOf('kept')).toBe(before);
    expect(await vastmax(folder, `${train} -o kept --overwrite --examples 64`)).toMatchObject({ code: 0 });
    expect(await stepOf('kept')).toBe(2);
  });

  it('under a regular file refuses', async () => {
    const { code, stderr } = await vastmax(folder, `${train} -o train.txt/model`);
    expect(code).toBe(2);
    expect(stderr).toBe(`vastmax: --out train.txt/model: ${join(folder, 'train.txt')} is a file; give a folder\n`);
  });
});

describe('training that diverges', () => {
  it('names step, rates and what to try, and leaves the model that was there', async () => {
    copyModel('valuable');
    const before = await stepOf('valuable');
    const { code, stderr } = await vastmax(folder, `${train} -o valuable --overwrite --output-rate 50`);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^vastmax: training diverged at step \d+ \(body rate \S+, output rate \d\d\.\d\): .*No checkpoint of this run was saved yet; start again with a lower --body-rate or --output-rate \(try a quarter\)\n$/,
    );
    expect(await stepOf('valuable')).toBe(before);
  });

  it('in a resumed run names the checkpoint to go back to, from which a lower rate goes on', async () => {
    copyModel('resumed');
    const before = await stepOf('resumed');
    const diverged = await vastmax(folder, 'train train.txt -o resumed --resume --epochs 2 --output-rate 50');
    expect(diverged.code).toBe(1);
    expect(diverged.stderr).toContain(
      `resumed holds the checkpoint of step ${before}; add --resume and a lower --body-rate or --output-rate (try a quarter)`,
    );
    expect(await stepOf('resumed')).toBe(before);
    expect(await vastmax(folder, 'train train.txt -o resumed --resume --epochs 2 --output-rate 0.01')).toMatchObject({
      code: 0,
    });
    expect(await stepOf('resumed')).toBe(2 * before);
  });
});

describe('--resume', () => {
  const expectUsageError = async (args: string, message: string): Promise<void> => {
    const { code, stdout, stderr } = await vastmax(folder, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  };

  it('needs a checkpoint', async () => {
    const { code, stderr } = await vastmax(folder, 'train train.txt -o nowhere --resume');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'vastmax: openCheckpoint: there is no directory nowhere; give the directory that a checkpoint was written to\n',
    );
  });

  it('refuses another text, also one of the same length', async () => {
    writeFileSync(join(folder, 'other.txt'), toySentences(300, 3));
    await expectUsageError('train other.txt -o model --resume', 'other.txt is not the text that model was trained on');
    const text = readFileSync(join(folder, 'train.txt'), 'utf8');
    writeFileSync(join(folder, 'swapped.txt'), text.replace('cat', 'dog'));
    await expectUsageError(
      'train swapped.txt -o model --resume',
      'swapped.txt is not the text that model was trained on',
    );
  });

  it('refuses options that make another model, and --overwrite', async () => {
    await expectUsageError(
      'train train.txt -o model --resume --hidden 32',
      '--hidden is [32], but the run in model has [16]; leave --hidden out',
    );
    await expectUsageError(
      'train train.txt -o model --resume --overwrite',
      '--resume goes on from the model that --overwrite would replace',
    );
  });
});
