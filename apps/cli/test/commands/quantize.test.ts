/** A small model quantized by the command: sizes, prediction, and what is refused. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const words = Array.from({ length: 600 }, (_, i) => `w${i}`);
const training = '--model ngram --order 1 --embedding 8 --hidden 8 --batch 32 --backend wasm --output-layer full';

beforeAll(async () => {
  // Each word is followed by the next one.
  writeFileSync(join(folder, 'train.txt'), `${words.join(' ')}\n`.repeat(4));
  expect(await vastmax(folder, `train train.txt -o model ${training} --epochs 2`)).toMatchObject({ code: 0 });
});

interface Prediction {
  readonly next: readonly { readonly word: string; readonly score: number }[];
}

const predictionOf = async (model: string): Promise<readonly number[]> => {
  const { stdout } = await vastmax(folder, `predict ${model} w7 -k 600 --json --backend wasm`);
  const { next } = JSON.parse(stdout) as Prediction;
  return next.toSorted((a, b) => a.word.localeCompare(b.word)).map(({ score }) => score);
};

describe('quantize', () => {
  it.each(['8-bit', 'product'])(
    'writes a smaller model that scores words as the first one does, by %s',
    async (method) => {
      const { code, stdout, stderr } = await vastmax(
        folder,
        `quantize model -o by-${method} --method ${method} --json --backend wasm`,
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const report = JSON.parse(stdout) as { bytes: number; bytesBefore: number; tables: { name: string }[] };
      expect(report.tables.map(({ name }) => name)).toEqual(['embeddings', 'classes']);
      expect(report.bytes).toBeLessThan(report.bytesBefore);
      const [before, after] = [await predictionOf('model'), await predictionOf(`by-${method}`)];
      expect(before.length).toBe(600);
      for (const [i, score] of after.entries())
        expect(Math.abs(score - before[i]!)).toBeLessThan(0.05 * Math.abs(before[i]!));
      expect((await vastmax(folder, `evaluate by-${method} train.txt --limit 50 --backend wasm`)).code).toBe(0);
    },
  );

  it('is no model to train on', async () => {
    await vastmax(folder, 'quantize model -o small --backend wasm');
    const { code, stderr } = await vastmax(folder, `train train.txt -o small ${training} --resume`);
    expect(code).toBe(2);
    expect(stderr).toContain('small holds a quantized model, which is for prediction');
  });

  it.each([
    ['quantize model -o model', '--out model is the model itself'],
    ['quantize model -o other --part-width 4', '--part-width is an option of --method product'],
    ['quantize model -o other --method 4-bit', 'Allowed choices are 8-bit, product'],
    ['quantize missing -o other', 'missing'],
  ])('refuses %s', async (line, message) => {
    const { code, stderr } = await vastmax(folder, line);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
  });

  it('replaces a model only when told to', async () => {
    await vastmax(folder, 'quantize model -o twice --backend wasm');
    const refused = await vastmax(folder, 'quantize model -o twice --backend wasm');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('replace it with --overwrite');
    expect(await vastmax(folder, 'quantize model -o twice --overwrite --backend wasm')).toMatchObject({ code: 0 });
  });
});
