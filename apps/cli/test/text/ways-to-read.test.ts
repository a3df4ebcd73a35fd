/** The same model from every kind of text and tokenizer, and read back as it was trained. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { readVocabulary } from '@vastmax/lm-models/text';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel, toySentences } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const at = (file: string): string => join(folder, file);
const train = `${toyModel} --backend wasm`;
const lines = readFileSync(at('train.txt'), 'utf8').trimEnd().split('\n');

/** A tokenizer.json of the letters and of `the` as one piece. */
function tokenizerFile(): string {
  const pieces = [
    '[UNK]',
    'the',
    ...'abcdefghijklmnopqrstuvwxyz',
    ...[...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `##${letter}`),
  ];
  writeFileSync(
    at('tokenizer.json'),
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: null,
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      },
    }),
  );
  return 'tokenizer.json';
}

async function checkpointOf(
  model: string,
): Promise<{ readonly text: unknown; readonly tokens: unknown; readonly words: readonly string[] }> {
  await using checkpoint = await openCheckpoint(createFileStorage(at(model)));
  const { text, tokens } = checkpoint.configuration;
  return { text, tokens, words: readVocabulary(checkpoint).tokens };
}

describe('train', () => {
  it('reads standard input and a column of a Parquet file as it reads a file', async () => {
    expect(await vastmax(folder, `train train.txt -o plain ${train}`)).toMatchObject({ code: 0, stderr: '' });
    parquetWriteFile({
      filename: at('train.parquet'),
      columnData: [
        { name: 'id', data: lines.map((_, id) => id) },
        { name: 'sentence', data: lines },
      ],
    });
    const input = readFileSync(at('train.txt'));
    expect(await vastmax(folder, `train - -o piped ${train}`, input)).toMatchObject({ code: 0, stderr: '' });
    expect(await vastmax(folder, `train train.parquet --text-column sentence -o columns ${train}`)).toMatchObject({
      code: 0,
      stderr: '',
    });
    const plain = await checkpointOf('plain');
    expect(await checkpointOf('piped')).toEqual(plain);
    expect(await checkpointOf('columns')).toEqual(plain);

    const [fromFile, fromPipe] = await Promise.all([
      vastmax(folder, 'evaluate plain valid.txt --json --backend wasm'),
      vastmax(folder, 'evaluate plain - --json --backend wasm', readFileSync(at('valid.txt'))),
    ]);
    expect(fromPipe).toEqual(fromFile);

    const resumed = await vastmax(folder, 'train - -o piped --resume --epochs 2 --backend wasm', input);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    const other = await vastmax(folder, 'train - -o piped --resume --epochs 3', toySentences(10, 5));
    expect(other.stderr).toContain('- is not the text that piped was trained on');
    const { code, stderr } = await vastmax(folder, `train train.parquet -o absent ${train}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vastmax: .*train\.parquet.*text.*id.*sentence.*\n$/);
    expect((await vastmax(folder, `train - -o absent ${train}`, Buffer.from([0x61, 0x0a, 0xff]))).stderr).toContain(
      'standard input: line 2: byte 0xFF at offset 2 is not valid UTF-8',
    );
  });

  it('segments words by Unicode, in the letter case it is told', async () => {
    writeFileSync(at('thai.txt'), 'แมวดำนอนหลับ\n'.repeat(200) + 'Well-being 猫\n'.repeat(10));
    const { code, stderr } = await vastmax(
      folder,
      `train thai.txt -o thai ${train} --tokenizer segmenter --letter-case upper --locale th`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { text, words } = await checkpointOf('thai');
    expect(text).toMatchObject({ tokenizer: 'segmenter', letterCase: 'upper', locale: 'th' });
    expect(words).toEqual(expect.arrayContaining(['แมว', 'ดำ', 'WELL', '-', 'BEING', '猫']));
  });

  it('takes the tokens of a Hugging Face tokenizer, and keeps it with the model', async () => {
    const { code, stdout, stderr } = await vastmax(
      folder,
      `train train.txt -o pieces ${train} --order 8 --epochs 2 --tokenizer ${tokenizerFile()} --valid valid.txt`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { text, words } = await checkpointOf('pieces');
    expect(text).toMatchObject({ tokenizer: 'subword', letterCase: 'keep' });
    expect(words).toEqual(expect.arrayContaining(['the', 'h', '##o', '<eos>']));
    rmSync(at('tokenizer.json'));
    const evaluated = await vastmax(folder, 'evaluate pieces valid.txt --limit 20000');
    expect(evaluated).toMatchObject({ code: 0, stderr: '' });
    expect(evaluated.stdout.split('\n').slice(-4)).toEqual(stdout.split('\n').slice(-4));
    // Pieces come out as words again.
    const predicted = await vastmax(folder, 'predict pieces the lazy ca --continue 1 -k 1');
    expect(predicted.stdout).toMatch(/\nthe lazy ca\w|\nthe lazy ca <eos>/);
    expect(predicted.stdout).not.toContain('##a');
    const resumed = await vastmax(folder, 'train train.txt -o pieces --resume --epochs 3');
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
  });

  it('refuses a file that is no tokenizer', async () => {
    writeFileSync(at('wrong.json'), '{"model": 1}');
    const { code, stderr } = await vastmax(folder, 'train train.txt -o absent --tokenizer wrong.json');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vastmax: .*wrong\.json.*\n$/);
    expect((await vastmax(folder, 'train train.txt -o absent --tokenizer wrong.json --lower-case')).stderr).toContain(
      '--letter-case lower is no option of a tokenizer file',
    );
  });
});

describe('--initial-vectors', () => {
  it('starts the embeddings from a file, says how many, and does so once', async () => {
    const at8 = (word: string, value: number): string =>
      `${word} ${Array.from({ length: 8 }, (_, i) => value + i).join(' ')}\n`;
    writeFileSync(at('vectors.txt'), `3 8\n${at8('cat', 1)}${at8('zebra', 2)}${at8('dog', -3)}`);
    const { code, stdout, stderr } = await vastmax(
      folder,
      `train train.txt -o vectors ${train} --initial-vectors vectors.txt --body-rate 0`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^embeddings +2 of 22 words start from vectors\.txt$/m);
    await using checkpoint = await openCheckpoint(createFileStorage(at('vectors')));
    const { tokens } = readVocabulary(checkpoint);
    const [table] = checkpoint.module('body').tensors.filter(({ name }) => name === 'embeddings');
    const cat = Array.from((await table?.read(tokens.indexOf('cat'), 1)) ?? []).slice(0, 8);
    // A straight line, scaled.
    const step = (cat[1] ?? 0) - (cat[0] ?? 0);
    expect(step).toBeGreaterThan(0);
    for (const [i, value] of cat.entries()) expect(value / step).toBeCloseTo(1 + i, 4);

    const again = await vastmax(
      folder,
      `train train.txt -o vectors ${train} --initial-vectors vectors.txt --body-rate 0 --resume --epochs 2`,
    );
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).not.toContain('start from');
  });

  it('warns when no word is in it, and refuses another width', async () => {
    writeFileSync(at('other.txt'), '1 8\nzebra 1 2 3 4 5 6 7 8\n');
    const { code, stderr } = await vastmax(folder, `train train.txt -o none ${train} --initial-vectors other.txt`);
    expect(code).toBe(0);
    expect(stderr).toBe(
      'vastmax: warning: none of the 1 words of other.txt is in the vocabulary; do the letter case and the tokenizer agree?\n',
    );
    writeFileSync(at('narrow.txt'), '1 2\ncat 1 2\n');
    const narrow = await vastmax(folder, `train train.txt -o narrow ${train} --initial-vectors narrow.txt`);
    expect(narrow.code).toBe(1);
    expect(narrow.stderr).toMatch(
      /^vastmax: loadInitialVectors: narrow\.txt has vectors of 2 numbers, the table has 8 columns; .*\n$/,
    );
  });
});
