import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { TensorPrecision } from '@vastmax/linalg-core/state';
import { isSparseDataError } from '@vastmax/sparse-data';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { isCheckpointError } from '@vastmax/checkpoints';
import { arrays, computedTensor, failureOf, tensorOf } from '@vastmax/checkpoints/testing';
import { readWord2vecBinary } from '../../src/interchange/read-word2vec-binary.ts';
import { readWord2vecText } from '../../src/interchange/read-word2vec-text.ts';
import { detectWord2vecFormat } from '../../src/interchange/word2vec-format.ts';
import { writeWord2vec } from '../../src/interchange/write-word2vec.ts';
import { pythonWith } from './python-with.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-word2vec-'));
const path = join(folder, 'vectors');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Read = [string, number[]][];
async function readBack(format: 'text' | 'binary', from = path): Promise<Read> {
  const all: Read = [];
  for await (const { word, vector } of (format === 'text' ? readWord2vecText : readWord2vecBinary)(from))
    all.push([word, [...vector]]);
  return all;
}

const anyWords = fc.uniqueArray(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }).filter((word) => !/\p{White_Space}/u.test(word)),
  { minLength: 1, maxLength: 8 },
);
const anyValue = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));

describe('word2vec', () => {
  it.each(['text', 'binary'] as const)('%s gives every number of 32 bits back', async (format) => {
    const vectors = anyWords.chain((words) =>
      fc
        .integer({ min: 1, max: 5 })
        .chain((width) =>
          fc.tuple(
            fc.constant(words),
            fc.constant(width),
            fc.array(anyValue, { minLength: words.length * width, maxLength: words.length * width }),
          ),
        ),
    );
    await fc.assert(
      fc.asyncProperty(vectors, async ([words, width, values]) => {
        const { bytes } = await writeWord2vec(path, words, tensorOf('w', Float32Array.from(values), width), { format });
        expect(readFileSync(path).length).toBe(bytes);
        expect(await readBack(format)).toEqual(
          words.map((word, row) => [word, values.slice(row * width, (row + 1) * width)]),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('text is what other programs read: decimal numbers of 9, 17 or 5 digits', async () => {
    await writeWord2vec(
      path,
      ['the', 'café', '.'],
      tensorOf('w', Float32Array.of(0.1, -2, 1 / 3, 1e-10, 65504, 0.7), 2),
      { format: 'text' },
    );
    expect(readFileSync(path, 'utf8')).toBe(
      '3 2\nthe 0.100000001 -2\ncafé 0.333333343 1.00000001e-10\n. 65504 0.699999988\n',
    );
    await writeWord2vec(path, ['the', 'a'], tensorOf('w', Float32Array.of(0.1, -2, 1 / 3, 1e-10), 2), {
      format: 'text',
      half: true,
    });
    expect(readFileSync(path, 'utf8')).toBe('2 2\nthe 0.099976 -2\na 0.33325 0\n');
    await writeWord2vec(path, ['the', 'a'], tensorOf('w', Float64Array.of(0.1, -2, 1 / 3, 1e-300), 2, 'f64'), {
      format: 'text',
    });
    expect(readFileSync(path, 'utf8')).toBe('2 2\nthe 0.1 -2\na 0.3333333333333333 1e-300\n');
  });

  it('is streamed by blocks, with progress', async () => {
    const table = computedTensor('w', 20_000, 100, (at) => (at % 1000) / 8);
    const words = Array.from({ length: 20_000 }, (_, at) => `w${at}`);
    const seen: number[] = [];
    await writeWord2vec(path, words, table, { format: 'binary', onProgress: (done, total) => seen.push(done / total) });
    expect(table.largest).toBe(2621);
    expect(seen.length).toBe(8);
    expect(seen.at(-1)).toBe(1);
    let row = 0;
    for await (const { word, vector } of readWord2vecBinary(path)) {
      expect(word).toBe(words[row]);
      expect(vector[99]).toBe(((row * 100 + 99) % 1000) / 8);
      row++;
    }
    expect(row).toBe(20_000);
  });

  it('is read by gensim, text and binary', async ({ skip }) => {
    const python = pythonWith('gensim');
    if (python === undefined) return skip('no Python with gensim here: apt-get install python3-gensim');
    const words = ['the', 'well-being', 'Москва', '東京', '\ufeffword', "don't", '<unk>', '0.5', '-', '😀'];
    const values = Float32Array.from({ length: words.length * 7 }, (_, at) =>
      Math.fround(Math.sin(at) * 10 ** ((at % 9) - 6)),
    );
    const program = `
import sys, json
from gensim.models import KeyedVectors
path, binary = sys.argv[1], sys.argv[2] == 'binary'
vectors = KeyedVectors.load_word2vec_format(path, binary=binary)
print(json.dumps({'words': vectors.index_to_key, 'vectors': [[float(x) for x in v] for v in vectors.vectors]}))
`;
    for (const format of ['text', 'binary'] as const) {
      await writeWord2vec(path, words, tensorOf('w', values, 7), { format });
      const read = JSON.parse(
        execFileSync(python, ['-c', program, path, format], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
      ) as { words: string[]; vectors: number[][] };
      expect(read.words).toEqual(words);
      expect(Float32Array.from(read.vectors.flat())).toEqual(values);
    }
  });

  it('that gensim has written is read, text and binary', ({ skip }) => {
    const python = pythonWith('gensim');
    if (python === undefined) return skip('no Python with gensim here: apt-get install python3-gensim');
    const program = `
import sys, numpy
from gensim.models import KeyedVectors
vectors = KeyedVectors(vector_size=3)
vectors.add_vectors(['a', 'b\\u00e9', 'c'], numpy.array([[1, 2, 3], [0.1, 1e-20, -5], [7, 8, 9]], dtype='float32'))
vectors.save_word2vec_format(sys.argv[1], binary=sys.argv[2] == 'binary')
`;
    return Promise.all(
      (['text', 'binary'] as const).map(async (format) => {
        const from = join(folder, `gensim.${format}`);
        execFileSync(python, ['-c', program, from, format], { stdio: 'ignore' });
        const expected = [1, 2, 3, 0.1, 1e-20, -5, 7, 8, 9].map(Math.fround);
        expect(await readBack(format, from)).toEqual(
          ['a', 'bé', 'c'].map((word, row) => [word, expected.slice(3 * row, 3 * row + 3)]),
        );
      }),
    );
  });

  it('text without a first line, with spaces in words and at line ends, and compressed', async () => {
    const glove = join(folder, 'glove.txt.gz');
    writeFileSync(glove, gzipSync('the 1 2 3 \n. . . 4 5 6\r\nnew york -1 2e-3 0\n'));
    expect(await readBack('text', glove)).toEqual([
      ['the', [1, 2, 3]],
      ['. . .', [4, 5, 6]],
      ['new york', [-1, Math.fround(2e-3), 0]],
    ]);
  });
});

describe('a file of vectors', () => {
  const values = Array.from({ length: 6000 }, (_, at) => Math.fround(Math.sin(at)));
  const words = Array.from({ length: 2000 }, (_, at) => `word${at}`);
  const vectors = tensorOf('w', Float32Array.from(values), 3);

  it.each([
    ['text', gzipSync],
    ['binary', gzipSync],
    ['binary', brotliCompressSync],
  ] as const)('of %s is read compressed', async (format, compress) => {
    await writeWord2vec(path, words, vectors, { format });
    const whole = await readBack(format);
    const packed = join(folder, compress === gzipSync ? 'packed' : 'packed.BR');
    writeFileSync(packed, compress(readFileSync(path)));
    expect(await readBack(format, packed)).toEqual(whole);
    expect(await detectWord2vecFormat(packed)).toBe(format);
    writeFileSync(packed, compress(readFileSync(path)).subarray(0, -40));
    await expect(readBack(format, packed)).rejects.toMatchObject({ code: 'corrupt-compression' });
  });

  it('that is compressed is not believed either', async () => {
    writeFileSync(path, gzipSync('3 999999999\nthe '));
    expect((await failureOf(() => readBack('binary'))).message).toBe(
      `word2vec: ${path}: line 1 says that vectors have 999999999 numbers; of a compressed file or a pipe at most 4194304 are read`,
    );
    writeFileSync(path, gzipSync('999999999999 4\nthe 0123456789abcdef'));
    expect((await failureOf(() => readBack('binary'))).message).toBe(
      `word2vec: ${path}: word 2 of 999999999999, at byte 35, has no space after its text within 0 bytes; at most 4096 are allowed`,
    );
  });

  it('is known as text or binary by its first bytes, whatever its name', async () => {
    for (const format of ['text', 'binary'] as const) {
      for (const name of ['a.bin', 'a.txt', 'a']) {
        await writeWord2vec(join(folder, name), words, vectors, { format });
        expect(await detectWord2vecFormat(join(folder, name))).toBe(format);
      }
    }
    for (const [content, format] of [
      ['the 1 2 3\n', 'text'],
      ['1 3\nnew york 1e-5 -.5 +3\n', 'text'],
      [Buffer.from('1 2\ncaf\xc3 1 2\n', 'latin1'), 'text'],
      [`1 900\nthe ${'0.125 '.repeat(900)}\n`, 'text'],
      [Buffer.concat([Buffer.from('1 2\nthe '), Buffer.alloc(8)]), 'binary'],
      ['0 3\n', 'binary'],
      ['', 'binary'],
    ] as const) {
      writeFileSync(join(folder, 'b.BIN'), content);
      expect(await detectWord2vecFormat(join(folder, 'b.BIN'))).toBe(format);
    }
  });

  it.each(['text', 'binary'] as const)('of %s is read without its words that are not UTF-8', async (format) => {
    const some = ['the', 'xaf#', 'cat', '#'];
    await writeWord2vec(path, some, tensorOf('w', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), 2), { format });
    writeFileSync(
      path,
      readFileSync(path).map((byte) => (byte === 0x23 ? 0xc3 : byte)),
    );
    const left: number[] = [];
    const read: string[] = [];
    const reader = format === 'text' ? readWord2vecText : readWord2vecBinary;
    for await (const { word } of reader(path, { onNotUtf8: (number) => left.push(number) })) read.push(word);
    expect(read).toEqual(['the', 'cat']);
    expect(left).toEqual(format === 'text' ? [3, 5] : [2, 4]);
    await expect(readBack(format)).rejects.toThrow('UTF-8');
  });
});

describe('writeWord2vec refuses, and keeps the file that was there', () => {
  const vectors = (values: readonly number[], precision: TensorPrecision = 'f32'): ReturnType<typeof tensorOf> =>
    tensorOf('w', arrays[precision].from(values), 2, precision);
  const attempt = async (
    ...args: Parameters<typeof writeWord2vec> extends [string, ...infer Rest] ? Rest : never
  ): Promise<string> => {
    writeFileSync(path, 'precious');
    const before = readdirSync(folder);
    const { code, message } = await failureOf(() => writeWord2vec(path, ...args));
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(folder)).toEqual(before);
    return `${code}: ${message}`;
  };

  it.each(['', 'new york', 'a\tb', 'a\nb', 'a\u00a0b', '\u3000', '\ud800'])('the word %j', async (word) => {
    for (const format of ['text', 'binary'] as const) {
      expect(await attempt(['a', word], vectors([1, 2, 3, 4]), { format })).toMatch(
        /^bad-argument: writeWord2vec: word 1 is ".*", which is empty or has white space or half a surrogate pair in it; word2vec cannot hold it: write safetensors$/,
      );
    }
  });

  it('numbers that are not finite, or not in the format', async () => {
    expect(await attempt(['a', 'b'], vectors([1, 2, Number.NaN, 4]), { format: 'text' })).toBe(
      'non-finite: writeWord2vec: the vector of "b" has NaN at column 0; only numbers that are finite with 32 bits are written',
    );
    expect(await attempt(['a', 'b'], vectors([1, 2, 3, 1e300], 'f64'), { format: 'binary' })).toContain(
      'the vector of "b" has 1e+300 at column 1; only numbers that are finite with 32 bits',
    );
    expect(await attempt(['a', 'b'], vectors([1, 70_000, 3, 4]), { format: 'text', half: true })).toContain(
      'the vector of "a" has 70000 at column 1; 16 bits hold at most 65504: write it without half',
    );
    expect(await attempt(['a', 'b'], vectors([1, 2, 3, 4]), { format: 'binary', half: true })).toContain(
      'half is true and format is binary, which stores 32 bits',
    );
    expect(await attempt(['a'], vectors([1, 2, 3, 4]), { format: 'text' })).toContain(
      'there are 1 words and 2 vectors (w); each word needs one',
    );
  });

  it('a place that cannot be written, and passes on what a tensor, a callback or a signal throws', async () => {
    writeFileSync(path, 'precious');
    expect(
      await failureOf(() => writeWord2vec(join(path, 'below'), ['a'], vectors([1, 2]), { format: 'text' })),
    ).toMatchObject({ code: 'write-failed', cause: { code: 'ENOTDIR' } });
    const own = new TypeError('mine');
    const failing = { ...vectors([1, 2]), read: () => Promise.reject(own) };
    await expect(writeWord2vec(path, ['a'], failing, { format: 'text' })).rejects.toBe(own);
    await expect(
      writeWord2vec(path, ['a'], vectors([1, 2]), {
        format: 'text',
        onProgress: () => {
          throw own;
        },
      }),
    ).rejects.toBe(own);
    await expect(
      writeWord2vec(path, ['a'], vectors([1, 2]), { format: 'text', signal: AbortSignal.abort(own) }),
    ).rejects.toBe(own);
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});

describe('a damaged or hostile file', () => {
  const textFailure = async (text: string): Promise<string> => {
    writeFileSync(path, text);
    const { code, message } = await failureOf(() => readBack('text'));
    return `${code}: ${message.replace(path, 'FILE')}`;
  };
  it.each([
    [
      '2 3\na 1 2\n',
      'invalid-line: word2vec: FILE: line 2: there is "a 1 2", with 2 numbers after a word; 3 are needed',
    ],
    [
      '2 999999999999999\na 1 2\n',
      'invalid-line: word2vec: FILE: line 2: there is "a 1 2", with 2 numbers after a word; 999999999999999 are needed',
    ],
    [
      '2 0\na\n',
      'invalid-line: word2vec: FILE: line 2: there is "a", with 0 numbers after a word; at least 1 is needed',
    ],
    [
      'hello\n',
      'invalid-line: word2vec: FILE: line 1: there is "hello", with 0 numbers after a word; at least 1 is needed',
    ],
    [
      '2 2\na 1 x\n',
      'invalid-line: word2vec: FILE: line 2: number 2 of "a" is "x"; one that is finite with 32 bits is needed',
    ],
    [
      '2 2\na 1 1e39\n',
      'invalid-line: word2vec: FILE: line 2: number 2 of "a" is "1e39"; one that is finite with 32 bits is needed',
    ],
    [
      '2 2\na 1  2\n',
      'invalid-line: word2vec: FILE: line 2: number 1 of "a" is ""; one that is finite with 32 bits is needed',
    ],
    [
      '1 2\na 1 2\nb 3 4\n',
      'invalid-line: word2vec: FILE: line 3: there is another word, "b"; line 1 says there are 1',
    ],
    ['3 2\na 1 2\nb 3 4\n', 'truncated: word2vec: FILE is truncated: line 1 says there are 3 words, there are 2'],
  ])('%j', async (text, message) => {
    expect(await textFailure(text)).toBe(message);
  });

  const binaryFailure = async (bytes: Uint8Array | string): Promise<string> => {
    writeFileSync(path, bytes);
    const { code, message } = await failureOf(() => readBack('binary'));
    return `${code}: ${message.replace(path, 'FILE')}`;
  };
  const numbers = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
  const file = (...parts: (string | Buffer)[]): Buffer =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

  it('binary', async () => {
    expect(await binaryFailure('')).toContain(
      'invalid-header: word2vec: FILE begins with ""; a line of the number of words and the width of the vectors is needed',
    );
    expect(await binaryFailure('2 2')).toContain('begins with "2 2"');
    expect(await binaryFailure('2 0\n')).toContain('invalid-header');
    expect(await binaryFailure('999999999999999 999999999999999\na')).toContain(
      'truncated: word2vec: FILE is truncated: 999999999999999 words of width 999999999999999 need at least',
    );
    expect(await binaryFailure(file('1 2\na ', numbers(1)))).toBe(
      'truncated: word2vec: FILE is truncated: 1 words of width 2 need at least 14 bytes, the file has 10',
    );
    expect(await binaryFailure(file('1 1\nlonger ', numbers(1).subarray(0, 3)))).toBe(
      'truncated: word2vec: FILE is truncated: word 1 of 1 needs 4 bytes of numbers, 3 are left',
    );
    expect(await binaryFailure(file('1 1\n', 'x'.repeat(10_000), ' ', numbers(1)))).toBe(
      'invalid-line: word2vec: FILE: word 1 of 1, at byte 4, has no space after its text within 4096 bytes; at most 4096 are allowed',
    );
    expect(await binaryFailure(file('1 1\n  ', numbers(1)))).toContain('word 1 of 1, at byte 4, is empty');
    expect(await binaryFailure(file('1 1\n', Buffer.of(0xff), ' ', numbers(1)))).toContain(
      'word 1 of 1, at byte 4, is not UTF-8',
    );
    expect(await binaryFailure(file('2 1\na ', numbers(1), '\nb ', numbers(Number.NaN), '\n'))).toBe(
      'non-finite: word2vec: FILE: number 1 of word 2, "b", is NaN; finite ones are needed',
    );
    expect(await binaryFailure(file('1 1\na ', numbers(1), '\nmore'))).toBe(
      'invalid-header: word2vec: FILE: 5 bytes follow the last of 1 words of width 1',
    );
    await expect(readBack('binary', join(folder, 'absent'))).rejects.toMatchObject({ code: 'missing-file' });
  });

  it('of any bytes gives words or a typed error', async () => {
    const whole = {
      text: Buffer.from('3 2\nthe 1 2\na -1e-5 0.5\n. 3 4\n'),
      binary: file('3 2\nthe ', numbers(1, 2), '\na ', numbers(-1e-5, 0.5), '\n. ', numbers(3, 4), '\n'),
    };
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(4),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.constantFrom(' ', '\n', '9', '1e99', '-', '\r', '999999999').map((text) => Buffer.from(text)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('text' as const, 'binary' as const),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        async (format, edits) => {
          let bytes: Buffer = whole[format];
          for (const { at, remove, insert } of edits) {
            const start = Math.floor(at * bytes.length);
            bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
          }
          writeFileSync(path, bytes);
          try {
            for (const [, vector] of await readBack(format)) expect(vector.every(Number.isFinite)).toBe(true);
          } catch (error) {
            if (!isCheckpointError(error) && !isSparseDataError(error)) throw error;
            expect(error.message).toContain(path);
          }
        },
      ),
      { numRuns: 600 },
    );
  });
});
