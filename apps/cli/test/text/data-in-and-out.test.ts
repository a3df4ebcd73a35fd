/** What a file is, and that its data come in, and out again, unchanged. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel, toySentences } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const at = (file: string): string => join(folder, file);
const train = `${toyModel} --backend wasm`;
/** Certain of the next word after a few epochs, whatever the seed. */
const trainFull = train.replace('factored', 'full');
const text = readFileSync(at('train.txt'), 'utf8');

describe('a text of megabytes on one line', () => {
  const sentences = toySentences(35_000, 3);
  writeFileSync(at('lines.txt'), sentences);
  writeFileSync(at('one.txt'), sentences.replaceAll('\n', ' '));
  writeFileSync(
    at('one.parquet'),
    Buffer.from(
      parquetWriteBuffer({ columnData: [{ name: 'text', data: [sentences.replaceAll('\n', ' ')], type: 'STRING' }] }),
    ),
  );

  it('has the words of its lines, for vocab and tokenize', async () => {
    const counted = await vastmax(folder, 'vocab lines.txt');
    for (const file of ['one.txt', 'one.parquet']) {
      expect(await vastmax(folder, `vocab ${file}`)).toEqual({ ...counted, progress: expect.any(String) as string });
      const { stdout } = await vastmax(folder, `tokenize ${file}`);
      expect(stdout === `${sentences.trimEnd().replaceAll('\n', ' ')}\n`).toBe(true);
    }
    const { stdout } = await vastmax(folder, 'tokenize one.txt --json --tokenizer words');
    expect(JSON.parse(stdout)).toEqual(sentences.trimEnd().split(/\s/));
  });

  it('is trained and evaluated on, from standard input too', async () => {
    const trained = await vastmax(
      folder,
      `train - -o one ${train} --examples 640 --valid one.txt --evaluate 100`,
      readFileSync(at('one.txt')),
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const evaluated = await vastmax(folder, 'evaluate one one.txt --limit 100 --backend wasm');
    expect(evaluated).toMatchObject({ code: 0, stderr: '' });
    expect(evaluated.stdout.split('\n').slice(1)).toEqual(trained.stdout.split('\n').slice(-4));
  });
});

describe('what a file is', () => {
  const parquet = Buffer.from(
    parquetWriteBuffer({ columnData: [{ name: 'text', data: text.trimEnd().split('\n'), type: 'STRING' }] }),
  );

  it.each([
    ['TEXT.TXT.GZ', gzipSync(text)],
    ['text.of.any.name', gzipSync(text)],
    ['TEXT.BR', brotliCompressSync(text)],
    ['TEXT.PARQUET', parquet],
    ['rows.txt', parquet],
    ['bom.txt', `\ufeff${text}`],
  ])('is known from its content, else from its extension in any case: %s', async (name, content) => {
    const plain = await vastmax(folder, 'tokenize train.txt');
    writeFileSync(at(name), content);
    expect(await vastmax(folder, `tokenize ${name}`)).toEqual(plain);
    // Neither has a mark at its start that standard input could be known by.
    if (content === parquet || name === 'TEXT.BR') return;
    expect(await vastmax(folder, 'tokenize -', Buffer.from(content as string))).toEqual(plain);
  });

  it.each([
    ['tokenize -', parquet, 'standard input is a Parquet file, which has no lines'],
    ['tokenize -', Buffer.from(text, 'utf16le'), 'standard input is UTF-16LE without a byte order mark'],
    ['train points.xmc -o no --model classifier', parquet, 'points.xmc is a Parquet file, which has no lines'],
    ['vocab points.xmc', Buffer.from(`\ufeff${text}`, 'utf16le'), 'points.xmc is UTF-16 (little-endian), not UTF-8'],
    ['tokenize points.xmc --tokenizer bad.json', 'a', 'bad.json is not UTF-8; convert it'],
    ['train points.xmc -o no --config bad.json', 'a b', '--config bad.json cannot be read'],
  ])('%s says so', async (command, content, message) => {
    writeFileSync(at('points.xmc'), content);
    writeFileSync(at('bad.json'), Buffer.from('{"out": "\xf6"}', 'latin1'));
    const ended = await vastmax(folder, command, content);
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toMatch(/^vastmax: .*\n$/);
  });

  it('is JSON with a byte order mark too', async () => {
    writeFileSync(at('config.json'), '\ufeff{"embedding": 4}');
    const planned = await vastmax(folder, 'train train.txt -o no --config config.json --dry-run --backend wasm');
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toContain('words of 4 ');
  });

  it('that was joined of two is warned of, with the line', async () => {
    writeFileSync(at('joined.txt'), '\ufeffa b\n\ufeffc d\n');
    const joined = await vastmax(folder, `train joined.txt -o no ${train} --dry-run`);
    expect(joined).toMatchObject({
      code: 0,
      stderr:
        'vastmax: warning: joined.txt: line 2 begins with a byte order mark (U+FEFF), as where files were joined; it is read as a part of its first word\n',
    });
  });
});

describe('predict --input', () => {
  it('gives each object back byte for byte, with next added', async () => {
    expect(await vastmax(folder, `train train.txt -o model ${train} --examples 640`)).toMatchObject({ code: 0 });
    const objects = [
      '{"id":9007199254740993,"prompt":"the cat"}',
      ' { "x" : 1e400 , "prompt" : [ "the" ] , "n":-0, "y":1.0 } ',
      '{"prompt":"a","prompt":"the \\u0064og","\\u00e9":"\\ud800"}',
      '{"next":["mine"],"prompt":"}"}',
    ];
    const { stdout, stderr, code } = await vastmax(
      folder,
      'predict model --input - -k 1 --backend wasm',
      `\ufeff${objects.join('\r\n')}\n"the \\u0063at"\n`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const added = /,"next":\[\{"word":"[^"]*","score":[-\d.e]+\}\](?=\}\s*$)/;
    const back = stdout.split('\n').slice(0, -1);
    for (const line of back) expect(line).toMatch(added);
    expect(back.map((line) => line.replace(added, ''))).toEqual([...objects, '{"prompt":"the \\u0063at"}']);
    const nextOf = (line: string | undefined): unknown => (JSON.parse(line ?? '') as { next: unknown }).next;
    expect(nextOf(back[4])).toEqual(nextOf(back[0]));
  });

  it("shows a model's own words, tokens of single bytes among them", async () => {
    const bytes = Array.from({ length: 256 }, (_, byte): [string, number] => [
      `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
      -20,
    ]);
    writeFileSync(
      at('bytes.json'),
      `\ufeff${JSON.stringify({
        version: '1.0',
        truncation: null,
        padding: null,
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
        post_processor: null,
        decoder: {
          type: 'Sequence',
          decoders: [
            { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
            { type: 'ByteFallback' },
            { type: 'Fuse' },
          ],
        },
        model: {
          type: 'Unigram',
          unk_id: 0,
          byte_fallback: true,
          vocab: [['<unk>', 0], ...bytes, ['▁', -3], ['▁sushi', -3], ['▁is', -3], ['▁good', -3]],
        },
      })}`,
    );
    writeFileSync(at('sushi.txt'), '寿司 is good\nsushi is 寿司\n'.repeat(60));
    const tokens = await vastmax(folder, 'tokenize - --tokenizer bytes.json', '寿 is\n');
    expect(tokens).toMatchObject({ code: 0, stdout: '▁ <0xE5> <0xAF> <0xBF> ▁is\n' });
    expect(
      await vastmax(folder, `train sushi.txt -o sushi ${trainFull} --epochs 12 --tokenizer bytes.json`),
    ).toMatchObject({ code: 0, stderr: '' });
    const continued = await vastmax(folder, 'predict sushi sushi is --continue 7 --backend wasm');
    expect(continued).toMatchObject({ code: 0, stderr: '' });
    expect(continued.stdout).toMatch(/\n\n ?sushi is .*寿司/);
  });
});

describe('--initial-vectors', () => {
  it('takes compressed and wrongly named files, and counts words that are not UTF-8', async () => {
    const number = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    const record = (word: string): Buffer => Buffer.concat([Buffer.from(word, 'latin1'), number, Buffer.from('\n')]);
    writeFileSync(
      at('vectors.txt'),
      gzipSync(Buffer.concat([Buffer.from('3 8\n'), record('cat '), record('caf\xc3 '), record('dog ')])),
    );
    const planned = await vastmax(folder, `train train.txt -o no ${train} --dry-run --initial-vectors vectors.txt`);
    expect(planned).toMatchObject({
      code: 0,
      stderr: 'vastmax: warning: 1 of the 3 words of vectors.txt are not UTF-8; they are left out\n',
    });
    expect(planned.stdout).toMatch(/^embeddings +2 of \d+ words start from vectors\.txt$/m);
  });
});
