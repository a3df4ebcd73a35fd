import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { readCsv, readInteractions, readJsonLines, readXmc, readXmcHeader } from '../../src/node/read-records.ts';
import { readLines } from '../../src/node/read-lines.ts';
import { allOf } from '../all-of.ts';
import { csvStyle, csvTable, writeCsv } from '../records/csv-text.ts';
import { thrownBy } from '../thrown-by.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-read-records-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Makes `-` read these chunks. */
function standardInput(chunks: Iterable<Buffer>, highWaterMark = 1): Readable {
  const stream = Readable.from(chunks, { objectMode: true, highWaterMark });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stream as never);
  return stream;
}

/** The same items from the whole text and from it cut in two at every byte. */
async function expectSameAtEveryCut(text: string, read: () => AsyncIterable<unknown>): Promise<void> {
  const bytes = Buffer.from(text);
  standardInput([bytes]);
  const whole = await allOf(read());
  expect(whole).not.toEqual([]);
  for (let cut = 1; cut < bytes.length; cut++) {
    standardInput([bytes.subarray(0, cut), bytes.subarray(cut)]);
    expect(await allOf(read())).toEqual(whole);
  }
}

const json = '\ufeff{"text": "schön\u2028 \\n"}\r\n\n[1, 2.5e3]\n"\u{1f600}"';
const csv = '\ufeffuser,item,time\r\n"a, ""b""\r\n\nü",\u{1f600},1.5\n\nc,"",2\r\n"c",d,3';
const interactions = csv.replace('c,"",2', 'c,e,2');
const xmc = '4 9 5\r\n0,4 1:2 3:-.5\r\n 8:1e-3\n\n2\n\n';

describe('the readers', () => {
  it.each<[string, string, () => AsyncIterable<unknown>]>([
    ['readLines', csv, () => readLines('-', { keepLineEnds: true })],
    ['readJsonLines', json, () => readJsonLines('-')],
    ['readCsv', csv, () => readCsv('-')],
    ['readInteractions', interactions, () => readInteractions('-')],
    ['readXmc', xmc, () => readXmc('-')],
  ])('%s gives the same from standard input, cut at every byte', async (_, text, read) => {
    await expectSameAtEveryCut(text, read);
  });

  it('refuses columns of lines of a user and items', async () => {
    const path = file('spaces.txt', 'uid iid\na 1\n');
    expect(await thrownBy(() => allOf(readInteractions(path, { columns: { user: 'uid' } })))).toContain(
      'which have no columns, and the user column is "uid"; give the format csv, tsv or jsonl, or no columns',
    );
  });

  it('give the same from plain, gzip and brotli files, whatever the chunks', async () => {
    const variants = (name: string, text: string): string[] => [
      file(name, text),
      file(`${name}.gz`, gzipSync(text)),
      file(`${name}.br`, brotliCompressSync(text)),
    ];
    for (const chunkBytes of [1, 7, 2 ** 18]) {
      for (const path of variants('a.jsonl', json)) {
        expect((await allOf(readJsonLines(path, { chunkBytes }))).map(({ line, value }) => ({ line, value }))).toEqual([
          { line: 1, value: { text: 'schön\u2028 \n' } },
          { line: 3, value: [1, 2500] },
          { line: 4, value: '\u{1f600}' },
        ]);
      }
      for (const path of [...variants('a.csv', csv), ...variants('a.tsv', csv.replaceAll(',', '\t'))]) {
        const tabs = path.includes('.tsv');
        expect(await allOf(readCsv(path, { chunkBytes }))).toEqual([
          { line: 1, fields: ['user', 'item', 'time'] },
          { line: 2, fields: [`a${tabs ? '\t' : ','} "b"\r\n\nü`, '\u{1f600}', '1.5'] },
          { line: 6, fields: ['c', '', '2'] },
          { line: 7, fields: ['c', 'd', '3'] },
        ]);
      }
      for (const path of variants('b.tsv', interactions.replaceAll(',', '\t'))) {
        expect((await allOf(readInteractions(path, { chunkBytes }))).map(({ line, time }) => [line, time])).toEqual([
          [2, 1.5],
          [6, 2],
          [7, 3],
        ]);
      }
      for (const path of [
        ...variants('b.jsonl', '{"user":"a","item":1}\n{"user":"b","item":2}'),
        ...variants('b.txt', 'a 1\r\nb 2\r\n'),
        ...variants('b.inter', 'user\titem\na\t1\nb\t2\n'),
      ]) {
        expect((await allOf(readInteractions(path, { chunkBytes }))).map(({ user, item }) => user + item)).toEqual([
          'a1',
          'b2',
        ]);
      }
      for (const path of variants('a.txt', xmc)) {
        expect(await readXmcHeader(path, { chunkBytes })).toEqual({ points: 4, features: 9, labels: 5 });
        expect(
          (await allOf(readXmc(path, { chunkBytes }))).map(({ labels, features, values }) => [
            [...labels],
            [...features],
            [...values],
          ]),
        ).toEqual([
          [
            [0, 4],
            [1, 3],
            [2, -0.5],
          ],
          [[], [8], [0.001]],
          [[], [], []],
          [[2], [], []],
        ]);
      }
    }
  });

  it('give back any table from a file, its line breaks as they were', async () => {
    await fc.assert(
      fc.asyncProperty(csvTable, csvStyle, fc.integer({ min: 1, max: 5 }), async (table, style, chunkBytes) => {
        const path = file('any.csv', writeCsv(table, style));
        // A file of no bytes is refused by readLines; a table always has some but when it is one field written without
        // quotes.
        expect(
          (await allOf(readCsv(path, { chunkBytes, delimiter: style.delimiter }))).map(({ fields }) => fields),
        ).toEqual(table);
      }),
      { numRuns: 60 },
    );
  });

  it('name file, line and both values', async () => {
    const ragged = file('ragged.csv', 'a,b\n1,2,3\n');
    expect(await thrownBy(() => allOf(readCsv(ragged)))).toBe(
      `wrong-count: parseCsv: ${ragged}: line 2: 3 fields, but the first record (line 1) has 2; they must be equal`,
    );
    const broken = file('broken.jsonl.gz', gzipSync('1\n{\n'));
    expect(await thrownBy(() => allOf(readJsonLines(broken)))).toContain(
      `bad-json: parseJsonLines: ${broken}: line 2: "{" is not JSON (`,
    );
    const beyond = file('beyond.txt', '1 9 5\n0 9:1\n');
    expect(await thrownBy(() => allOf(readXmc(beyond)))).toBe(
      `index-out-of-range: parseXmc: ${beyond}: line 2: feature is 9, but there are 9 features; they are 0..8`,
    );
    expect(await thrownBy(() => readXmcHeader(ragged))).toContain(
      `bad-xmc: parseXmc: ${ragged}: line 1: "a,b" is not a header`,
    );
    const late = file('late.tsv', 'user\titem\ttime\nu\ti\tnow\n');
    expect(await thrownBy(() => allOf(readInteractions(late)))).toBe(
      `bad-interaction: parseInteractions: ${late}: line 2: time is "now"; a date such as 2014-04-07T10:51:09Z is needed`,
    );
    const latin = file('latin1.csv', Buffer.from('a\nsch\xf6n\n', 'latin1'));
    expect(await thrownBy(() => allOf(readCsv(latin)))).toContain(
      `not-utf8: readLines: ${latin}: line 2: byte 0xF6 at offset 5`,
    );
    expect(await thrownBy(() => allOf(readCsv(join(folder, 'absent.csv'))))).toContain('missing-file: ');
  });

  it('call - standard input', async () => {
    standardInput([Buffer.from('a,b\n'), Buffer.from('"\n')]);
    expect(await thrownBy(() => allOf(readCsv('-')))).toBe(
      'bad-csv: parseCsv: standard input: line 2: field 1 of this record opens a quote that is not closed by line 2, the last; add the closing quote',
    );
    standardInput([]);
    expect(await thrownBy(() => allOf(readLines('-')))).toBe(
      'empty-input: readLines: standard input is empty (0 bytes of text); at least one line is needed',
    );
    standardInput([Buffer.from('1\n'), Buffer.from([0xff])]);
    expect(await thrownBy(() => allOf(readJsonLines('-')))).toContain(
      'not-utf8: readLines: standard input: line 2: byte 0xFF at offset 2',
    );
  });

  it('report the bytes of standard input, whose size is not known', async () => {
    standardInput([Buffer.from('a\nb'), Buffer.from('c\n')]);
    const seen: [number, number][] = [];
    await allOf(
      readLines('-', {
        onProgress: (bytes, fileBytes) => {
          seen.push([bytes, fileBytes]);
        },
      }),
    );
    expect(seen).toEqual([
      [3, Infinity],
      [5, Infinity],
    ]);
  });
});

describe('a stream larger than what is held', () => {
  const chunks = 100;
  const perChunk = 500;

  /**
   * `chunks` chunks of `perChunk` records, made when they are asked for, each chunk but the last cut in the middle of a
   * record.
   */
  function* generated(header: string, record: string, made: { count: number }): Generator<Buffer, void, undefined> {
    const block = Buffer.from(record.repeat(perChunk));
    const cut = 5;
    yield Buffer.concat([Buffer.from(header), block.subarray(0, block.length - cut)]);
    for (made.count = 1; made.count < chunks; made.count++)
      yield Buffer.concat([block.subarray(-cut), block.subarray(0, block.length - cut)]);
    yield block.subarray(-cut);
  }

  it.each<[string, string, string, () => AsyncIterable<unknown>]>([
    ['readJsonLines', '', `{"text": "${'ü'.repeat(40)}"}\n`, () => readJsonLines('-')],
    ['readCsv', 'user,item,time\n', '"u ""1""\r\n",i,1234567\r\n', () => readCsv('-', { columns: ['item'] })],
    ['readInteractions', 'user,item,time\n', 'user 1,item 1,1234567\n', () => readInteractions('-')],
    ['readXmc', `${chunks * perChunk} 100 10\n`, '1,2 3:4 5:6.5 99:1\n', () => readXmc('-')],
  ])(
    '%s asks for a chunk only when it has handed out the one before, and can be left',
    async (_, header, record, read) => {
      const made = { count: 0 };
      standardInput(generated(header, record, made));
      let seen = 0;
      let ahead = 0;
      for await (const item of read()) {
        if (item === undefined) throw new Error('a record is needed');
        seen++;
        ahead = Math.max(ahead, made.count - seen / perChunk);
      }
      expect(seen).toBe(chunks * perChunk);
      // The chunk at work, the one in the stream's buffer, and the one that its iterator has fetched.
      expect(ahead).toBeLessThanOrEqual(4);

      const again = { count: 0 };
      const stream = standardInput(generated(header, record, again));
      for await (const item of read()) {
        expect(item).toBeDefined();
        break;
      }
      expect(stream.destroyed).toBe(true);
      expect(again.count).toBeLessThanOrEqual(4);
    },
  );
});
