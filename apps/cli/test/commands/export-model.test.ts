/** A model that leaves: as ONNX in its runtime, and as a Hugging Face folder that the command reads back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as onnx from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const at = (file: string): string => join(folder, file);
const backend = '--backend wasm';
onnx.env.logLevel = 'error';

beforeAll(async () => {
  expect(await vastmax(folder, `train train.txt -o model ${toyModel} ${backend}`)).toMatchObject({ code: 0 });
}, 60_000);

describe('export --format onnx', () => {
  it('gives the answers of predict', async () => {
    const { code, stdout, stderr } = await vastmax(folder, `export model --format onnx -k 3 ${backend}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^exported +scores of 22 classes as onnx, operator set 17\ninput +words, int32 batch×3: /);
    const { classes, text } = JSON.parse(readFileSync(at('model.onnx.json'), 'utf8')) as {
      classes: string[];
      text: { endOfLine: string };
    };
    const session = await onnx.InferenceSession.create(at('model.onnx'));
    const prompt = [text.endOfLine, 'the', 'lazy'].map((word) => classes.indexOf(word));
    const words = new onnx.Tensor('int32', Int32Array.from(prompt), [1, 3]);
    const { top_scores: scores, top_classes: places } = await session.run({ words });
    await session.release();
    const found = Array.from(places?.data as Int32Array, (place, i) => ({
      word: classes[place],
      score: Number(scores?.data[i]),
    }));
    const predicted = await vastmax(folder, `predict model the lazy -k 3 --json ${backend}`);
    const { next } = JSON.parse(predicted.stdout) as { next: { word: string; score: number }[] };
    expect(found.map(({ word }) => word)).toEqual(next.map(({ word }) => word));
    for (const [i, { score }] of next.entries()) expect(Math.abs(found[i]!.score / score - 1)).toBeLessThan(1e-5);
  });

  it('refuses what has no such form, options of other formats and files that are there', async () => {
    for (const [args, code, message] of [
      ['export model --format onnx', 2, /model\.onnx already exists; replace it with --overwrite/],
      ['export model -o x.onnx --half', 2, /--half is of vectors, not of onnx/],
      ['export model', 2, /give the file with --output \(\.txt, .*\.onnx\), or a --format/],
    ] as const) {
      const ended = await vastmax(folder, `${args} ${backend}`);
      expect(ended).toMatchObject({ code, stderr: expect.stringMatching(message) as unknown });
    }
    expect(existsSync(at('x.onnx'))).toBe(false);
  });
});

describe('export --format huggingface', () => {
  it('is read back with the same answers', async () => {
    const evaluated = await vastmax(folder, `evaluate model valid.txt --json ${backend}`);
    writeFileSync(at('metrics.json'), evaluated.stdout);
    mkdirSync(at('hub/.git'), { recursive: true });
    const exported = await vastmax(
      folder,
      `export model --format huggingface -o hub --license mit --metrics metrics.json ${backend}`,
    );
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(at('hub')).toSorted()).toEqual(
      ['.git', 'README.md', 'checkpoint.json', 'config.json', 'model.safetensors', 'vocabulary.json'].toSorted(),
    );
    for (const command of ['predict MODEL the lazy -k 3 --json', 'evaluate MODEL valid.txt --json']) {
      const [own, read] = await Promise.all(
        ['model', 'hub'].map((name) => vastmax(folder, `${command.replace('MODEL', name)} ${backend}`)),
      );
      expect(read).toEqual(own);
    }
    const card = readFileSync(at('hub/README.md'), 'utf8');
    expect(card).toMatch(/^---\nlibrary_name: vastmax\nlicense: mit\npipeline_tag: text-generation\ntags:\n/);
    const { model } = JSON.parse(evaluated.stdout) as { model: { meanReciprocalRank: number } };
    expect(card).toContain(`| model.meanReciprocalRank | ${Number(model.meanReciprocalRank.toPrecision(6))} |`);
    // Paths of the machine that trained it.
    expect(card + readFileSync(at('hub/config.json'), 'utf8')).not.toContain('train.txt');
    expect(JSON.parse(readFileSync(at('hub/config.json'), 'utf8'))).toMatchObject({
      model_type: 'vastmax',
      num_classes: 22,
      hidden_size: 16,
    });
  });

  it('refuses a folder with a model, itself, and a licence that is none', async () => {
    for (const [args, message] of [
      ['-o hub', /hub holds a model.*replace it with --overwrite/],
      ['-o model', /--output model is the model itself/],
      ['-o other --license MIT:', /--license is 'MIT:'; give the hub's name/],
    ] as const) {
      const ended = await vastmax(folder, `export model --format huggingface ${args} ${backend}`);
      expect(ended.stderr).toMatch(message);
    }
    expect(existsSync(at('other'))).toBe(false);
  });
});
