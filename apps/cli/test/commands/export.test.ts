/** The vectors of one small model in every format, as their readers see them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { readWord2vecBinary, readWord2vecText } from '@vastmax/lm-models/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const at = (file: string): string => join(folder, file);
/** Not on the default backend: two runs of a threaded one may differ in the last bit. */
const backend = '--backend wasm';
/** By vector, row by row. */
const expected: Record<'output' | 'input', Float32Array> = { output: new Float32Array(), input: new Float32Array() };

async function rowsOf(file: string): Promise<Float32Array> {
  await using opened = await openSafetensors(createFileStorage(folder), file);
  const [tensor] = opened.tensors;
  return Float32Array.from((await tensor?.read(0, tensor.rows)) ?? []);
}

beforeAll(async () => {
  expect(await vastmax(folder, `train train.txt -o model ${toyModel} ${backend}`)).toMatchObject({ code: 0 });
  for (const kind of ['output', 'input'] as const) {
    expect(await vastmax(folder, `export model -o ${kind}.safetensors --vectors ${kind} ${backend}`)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expected[kind] = await rowsOf(`${kind}.safetensors`);
  }
}, 60_000);

describe('export', () => {
  it('writes the vectors that neighbors compares, as safetensors', async () => {
    await using file = await openSafetensors(createFileStorage(folder), 'output.safetensors');
    expect(file.tensors.map(({ name, precision, rows, columns }) => [name, precision, rows, columns])).toEqual([
      ['output_vectors', 'f32', 22, 16],
    ]);
    expect(Object.fromEntries(file.metadata)).toEqual({ producer: 'vastmax', vectors: 'output' });
    await using input = await openSafetensors(createFileStorage(folder), 'input.safetensors');
    expect(input.tensors.map(({ name, rows, columns }) => [name, rows, columns])).toEqual([
      ['input_embeddings', 22, 8],
    ]);

    const { stdout } = await vastmax(folder, `neighbors model cat -k 1 --json ${backend}`);
    const [nearest] = (JSON.parse(stdout) as { cat: { word: string; similarity: number }[] }).cat;
    await vastmax(folder, `export model -o words.txt ${backend}`);
    const vectors = new Map<string, Float32Array>();
    for await (const { word, vector } of readWord2vecText(at('words.txt'))) vectors.set(word, vector.slice());
    const [cat, other] = ['cat', nearest?.word ?? ''].map((word) => vectors.get(word) ?? new Float32Array());
    const product = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
      (a ?? new Float32Array()).reduce((sum, value, i) => sum + value * (b?.[i] ?? 0), 0);
    expect(product(cat, other) / Math.sqrt(product(cat, cat) * product(other, other))).toBeCloseTo(
      nearest?.similarity ?? 0,
      6,
    );
  });

  it('writes word2vec, text and binary, with the format by the ending or by name', async () => {
    for (const [file, extra, read] of [
      ['a.vec', '', readWord2vecText],
      ['a.bin', '', readWord2vecBinary],
      ['a.out', '--format word2vec-binary', readWord2vecBinary],
    ] as const) {
      const { code, stdout, stderr } = await vastmax(
        folder,
        `export model -o ${file} --vectors input ${extra} ${backend}`,
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(
        new RegExp(
          `^exported +22 input vectors of 8 as word2vec-(text|binary), [\\d.]+ KiB\nsaved +${file}\n$|^exported +22 input vectors of 8 as word2vec-binary, \\d+ B\nsaved +${file}\n$`,
        ),
      );
      const rows: number[] = [];
      let words = 0;
      for await (const { vector } of read(at(file))) {
        rows.push(...vector);
        words++;
      }
      expect(words).toBe(22);
      expect(Float32Array.from(rows)).toEqual(expected.input);
    }
  });

  it('rounds to 16 bits with --half, and says as JSON what it did', async () => {
    const { stdout } = await vastmax(folder, `export model -o half.safetensors --half --json ${backend}`);
    expect(JSON.parse(stdout)).toEqual({
      output: 'half.safetensors',
      format: 'safetensors',
      vectors: 'output',
      words: 22,
      width: 16,
      half: true,
      bytes: statSync(at('half.safetensors')).size,
    });
    const half = await rowsOf('half.safetensors');
    expect(half).not.toEqual(expected.output);
    for (const [i, value] of expected.output.entries())
      expect(Math.abs((half[i] ?? 0) - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25));
    expect(statSync(at('half.safetensors')).size).toBeLessThan(
      statSync(at('output.safetensors')).size - 22 * 16 * 2 + 8,
    );
  });

  it('is read by gensim, which finds the same neighbours', async ({ skip }) => {
    const python = ['python3', '/usr/bin/python3'].find((each) => {
      try {
        execFileSync(each, ['-c', 'import gensim'], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
    if (python === undefined) return skip('no Python with gensim here: apt-get install python3-gensim');
    await vastmax(folder, `export model -o gensim.bin ${backend}`);
    const program =
      'import sys, json; from gensim.models import KeyedVectors as K; print(json.dumps(K.load_word2vec_format(sys.argv[1], binary=True).most_similar("cat", topn=3)))';
    const similar = JSON.parse(
      execFileSync(python, ['-c', program, at('gensim.bin')], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as [string, number][];
    const { stdout } = await vastmax(folder, `neighbors model cat -k 3 --json ${backend}`);
    const neighbors = (JSON.parse(stdout) as { cat: { word: string; similarity: number }[] }).cat;
    expect(similar.map(([word]) => word)).toEqual(neighbors.map(({ word }) => word));
    for (const [place, [, similarity]] of similar.entries())
      expect(similarity).toBeCloseTo(neighbors[place]?.similarity ?? 0, 5);
  });
});

describe('export refuses', () => {
  const expectRefusal = async (args: string, exitCode: number, message: string): Promise<void> => {
    const { code, stdout, stderr } = await vastmax(folder, `export ${args}`);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toBe(`vastmax: ${message}\n`);
  };

  it('a file that is there, unless it may overwrite', async () => {
    writeFileSync(at('there.txt'), 'precious');
    await expectRefusal(
      'model -o there.txt',
      2,
      '--output there.txt already exists; replace it with --overwrite, or give another file',
    );
    expect(readFileSync(at('there.txt'), 'utf8')).toBe('precious');
    expect(await vastmax(folder, `export model -o there.txt --overwrite ${backend}`)).toMatchObject({ code: 0 });
    expect(readFileSync(at('there.txt'), 'utf8')).toMatch(/^22 16\n/);
  });

  it('what it cannot write, before it opens the model', async () => {
    mkdirSync(at('folder.txt'));
    await expectRefusal('nowhere -o folder.txt', 2, '--output folder.txt is a folder; give a file');
    await expectRefusal(
      'nowhere -o vectors.npy',
      2,
      '--output vectors.npy ends in none of .txt, .vec, .bin, .safetensors, .onnx; choose the format with --format',
    );
    await expectRefusal(
      'nowhere -o a2.bin --half',
      2,
      '--half is no option of word2vec-binary, which stores 32 bits; use word2vec-text or safetensors',
    );
    await expectRefusal(
      'nowhere -o b.txt',
      1,
      'openCheckpoint: there is no directory nowhere; give the directory that a checkpoint was written to',
    );
    expect(existsSync(at('b.txt'))).toBe(false);
  });

  it("a folder that is not there, with the system's reason", async () => {
    const { code, stderr } = await vastmax(folder, `export model -o absent/c.txt ${backend}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^vastmax: --output absent\/c\.txt cannot be written: ENOENT: .*\n$/);
  });
});
