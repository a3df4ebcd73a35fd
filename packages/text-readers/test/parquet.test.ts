import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { countTokens, isSparseDataError } from '@vastmax/sparse-data';
import { parseParquet, parseParquetTexts } from '@vastmax/text-readers';
import { isParquetFile, readParquet, readParquetTexts } from '@vastmax/text-readers/node';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-parquet-'));
const path = join(folder, 'file.parquet');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Codec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'BROTLI';
const rows = 2500;
const texts = Array.from({ length: rows }, (_, at) => (at % 100 === 7 ? null : `text ${at}\nof row ${at} 東京`));

function fileOf(codec: Codec = 'SNAPPY', rowGroupSize: number | number[] = 1000): Buffer {
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'text', data: texts, type: 'STRING' },
        { name: 'user', data: Array.from({ length: rows }, (_, at) => at * 3), type: 'INT32' },
        { name: 'time', data: Array.from({ length: rows }, (_, at) => BigInt(at) * 10n ** 12n), type: 'INT64' },
        { name: 'weight', data: Array.from({ length: rows }, (_, at) => at / 7), type: 'DOUBLE' },
      ],
      codec,
      rowGroupSize,
      compressors: { GZIP: (bytes) => gzipSync(bytes), BROTLI: (bytes) => brotliCompressSync(bytes) },
    }),
  );
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

async function failureOf(action: () => Promise<unknown>): Promise<{ code: string; message: string; cause: unknown }> {
  try {
    await action();
  } catch (error) {
    if (isSparseDataError(error)) return { code: error.code, message: error.message, cause: error.cause };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('rows of a Parquet file', () => {
  it.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI'] as const)(
    'come in order with all columns, %s',
    async (codec) => {
      writeFileSync(path, fileOf(codec));
      const read = await all(readParquet(path));
      expect(read).toEqual(
        Array.from({ length: rows }, (_, at) => ({
          row: at + 1,
          values: { text: texts[at], user: at * 3, time: BigInt(at) * 10n ** 12n, weight: at / 7 },
        })),
      );
    },
  );

  it('are read a row group at a time, and only the columns that are asked for', async () => {
    const file = fileOf('UNCOMPRESSED');
    let bytes = 0;
    const source = {
      byteLength: file.length,
      slice: (start: number, end = file.length) => {
        bytes += end - start;
        return new Uint8Array(file.subarray(start, end)).buffer;
      },
    };
    const progress: [number, number][] = [];
    const stream = parseParquet(source, { columns: ['user'], onProgress: (...each) => progress.push(each) });
    const { value } = await stream.next();
    expect(value).toEqual({ row: 1, values: { user: 0 } });
    const afterFirst = bytes;
    expect((await all(stream)).length).toBe(rows - 1);
    expect(progress).toEqual([
      [1000, rows],
      [2000, rows],
      [2500, rows],
    ]);
    // Without its footer, which comes with the last 512 KiB of the file, a group of 4 bytes a row.
    expect(bytes - afterFirst).toBeLessThan(4 * 1500 + 2000);
    expect(bytes - afterFirst).toBeGreaterThan(4 * 1500 - 1);
  });

  it('as texts are lines for counting tokens; missing ones are skipped', async () => {
    writeFileSync(path, fileOf());
    const read = await all(readParquetTexts(path));
    expect(read).toEqual(texts.filter((text) => text !== null));
    const counter = await countTokens(readParquetTexts(path, { column: 'text' }));
    expect(counter.total).toBe(read.length * 6);
  });

  it("end early without leaving the file open, and with the signal's reason", async () => {
    writeFileSync(path, fileOf());
    for await (const { row } of readParquet(path)) if (row === 3) break;
    const controller = new AbortController();
    const reason = new Error('stop');
    await expect(
      (async () => {
        for await (const { row } of readParquet(path, { signal: controller.signal }))
          if (row === 1000) controller.abort(reason);
      })(),
    ).rejects.toBe(reason);
    rmSync(path);
  });

  it('none, of an empty table', async () => {
    writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'text', data: [], type: 'STRING' }] })));
    expect(await all(readParquetTexts(path))).toEqual([]);
  });
});

describe('an error of Parquet', () => {
  it('names the file and the columns that there are', async () => {
    writeFileSync(path, fileOf());
    expect(await failureOf(() => all(readParquet(path, { columns: ['text', 'label'] })))).toMatchObject({
      code: 'missing-column',
      message: `parseParquet: ${path}: there is no column "label"; it has "text", "user", "time", "weight"`,
    });
    expect(await failureOf(() => all(readParquetTexts(path, { column: 'user' })))).toMatchObject({
      code: 'bad-parquet',
      message: `parseParquetTexts: ${path}: row 1: user is 0, a number; a string is needed`,
    });
    expect((await failureOf(() => all(readParquet(path, { maximumRowGroupBytes: 1000 })))).message).toMatch(
      /: row group 1 of 3 has \d+ bytes; at most 1000 are allowed; write it with smaller row groups$/,
    );
    expect((await failureOf(() => all(readParquet(join(folder, 'absent'))))).code).toBe('missing-file');
    mkdirSync(join(folder, 'directory'));
    expect((await failureOf(() => all(readParquet(join(folder, 'directory'))))).code).toBe('not-a-file');
  });

  it('is what a file cut off at any of many lengths ends with', async () => {
    const whole = fileOf('SNAPPY', 500);
    for (let length = 0; length < whole.length; length += 1 + Math.floor(whole.length / 40)) {
      writeFileSync(path, whole.subarray(0, length));
      const { code, message } = await failureOf(() => all(readParquet(path)));
      expect(code).toBe('bad-parquet');
      expect(message).toContain(path);
    }
  });

  it('or rows, is all that damage anywhere gives', async () => {
    const whole = fileOf('SNAPPY', 1000);
    const footer = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
          minLength: 1,
          maxLength: 3,
        }),
        async (edits) => {
          const bytes = Uint8Array.from(whole);
          for (const [inFooter, at, value] of edits) {
            const [start, end] = inFooter ? [footer, whole.length] : [0, footer];
            bytes[start + Math.floor(at * (end - start - 1))] = value;
          }
          try {
            for await (const { values } of parseParquet(
              { byteLength: bytes.length, slice: (start, end) => bytes.slice(start, end).buffer },
              { columns: ['text', 'user'], name: 'damaged' },
            ))
              expect(Object.keys(values)).toEqual(['text', 'user']);
          } catch (error) {
            if (!isSparseDataError(error)) throw error;
            expect(error.message).toContain('damaged');
            refused++;
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(20);
  });

  it('says which rows could not be decoded', async () => {
    const whole = fileOf('SNAPPY', 1000);
    whole.fill(0xff, 100, 200);
    const source = {
      byteLength: whole.length,
      slice: (start: number, end?: number) => new Uint8Array(whole.subarray(start, end)).buffer,
    };
    expect(await failureOf(() => all(parseParquetTexts(source, { name: 'texts.parquet' })))).toMatchObject({
      code: 'bad-parquet',
      message: expect.stringMatching(/^parseParquet: texts\.parquet: rows 1 to 1000 cannot be decoded \(/) as string,
    });
  });
});

describe('bytes that are not UTF-8', () => {
  const bad = Uint8Array.of(0xff, 0xfe, 0x41);
  const strings = (type: 'UTF8' | 'JSON' | undefined, data: (string | Uint8Array | object | null)[]): Buffer =>
    Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'text', data: data.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)) },
          { name: 'number', data: data.map((_, at) => at) },
        ],
        schema: [
          { name: 'root', num_children: 2 },
          {
            name: 'text',
            type: 'BYTE_ARRAY',
            repetition_type: 'OPTIONAL',
            ...(type === undefined ? {} : { converted_type: type }),
          },
          { name: 'number', type: 'INT32', repetition_type: 'REQUIRED' },
        ],
        rowGroupSize: 2,
      }),
    );

  it('are refused with row and column; the rows before are read', async () => {
    writeFileSync(path, strings('UTF8', ['a', 'b', null, bad, 'c']));
    const seen: string[] = [];
    const failure = await failureOf(async () => {
      for await (const text of readParquetTexts(path)) seen.push(text);
    });
    expect(failure).toMatchObject({
      code: 'not-utf8',
      message: `parseParquet: ${path}: row 4: column text is not UTF-8: it has the bytes FF FE 41; convert it, or read other columns`,
    });
    expect(seen).toEqual(['a', 'b']);
    expect((await all(readParquet(path, { columns: ['number'] }))).length).toBe(5);
  });

  it('of a column that is not declared as text are bytes, unless texts are asked for', async () => {
    writeFileSync(path, strings(undefined, ['a', bad]));
    expect((await all(readParquet(path))).map(({ values }) => values['text'])).toEqual(['a', bad]);
    expect(await failureOf(() => all(readParquetTexts(path)))).toMatchObject({
      code: 'not-utf8',
      message: expect.stringContaining('row 2: column text is not UTF-8') as string,
    });
  });

  it('are told from a byte order mark and U+FFFD, which stay; and JSON stays a text', async () => {
    writeFileSync(path, strings('UTF8', ['\ufeffa', '\ufffd']));
    expect(await all(readParquetTexts(path))).toEqual(['\ufeffa', '\ufffd']);
    writeFileSync(path, strings('JSON', [{ a: 1 }]));
    expect(await all(readParquetTexts(path))).toEqual(['{"a":1}']);
  });
});

describe('a Parquet file', () => {
  it('is known by its first bytes, and by its extension only where they are not known', async () => {
    const named = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    expect(await isParquetFile(named('a.TXT', fileOf()))).toBe(true);
    expect(await isParquetFile(named('a.PARQUET', 'damaged'))).toBe(true);
    expect(await isParquetFile(named('b.parquet', gzipSync('text')))).toBe(false);
    expect(await isParquetFile(named('a.txt', 'PAR1 is how Parquet begins'))).toBe(false);
    expect(await isParquetFile(named('empty.txt', ''))).toBe(false);
    expect(await isParquetFile(join(folder, 'absent.Parquet'))).toBe(true);
  });
});
