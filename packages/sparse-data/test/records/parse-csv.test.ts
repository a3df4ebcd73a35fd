import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, parseCsv } from '../../src/records/parse-csv.ts';
import { allOf } from '../all-of.ts';
import { csvStyle, csvTable, linesOf, writeCsv } from './csv-text.ts';
import { thrownBy } from '../thrown-by.ts';

async function fieldsOf(text: string, options?: CsvOptions): Promise<(readonly string[])[]> {
  return (await allOf(parseCsv(linesOf(text), options))).map(({ fields }) => fields);
}

describe('parseCsv', () => {
  it('gives back any table, in any style', async () => {
    await fc.assert(
      fc.asyncProperty(csvTable, csvStyle, fc.boolean(), async (table, style, byteOrderMark) => {
        const text = (byteOrderMark ? '\ufeff' : '') + writeCsv(table, style);
        expect(await fieldsOf(text, { delimiter: style.delimiter })).toEqual(table);
      }),
      { numRuns: 300 },
    );
  });

  it('takes lines without their ends, and a line break inside quotes is then \\n', async () => {
    await fc.assert(
      fc.asyncProperty(csvTable, csvStyle, async (table, style) => {
        const unix = table.map((fields) => fields.map((field) => field.replaceAll('\r', '')));
        const lines = linesOf(writeCsv(unix, style)).map((line) => line.replace(/\r?\n$/, ''));
        expect((await allOf(parseCsv(lines, { delimiter: style.delimiter }))).map(({ fields }) => fields)).toEqual(
          unix,
        );
      }),
    );
  });

  it.each<[string, CsvOptions, string[][]]>([
    [
      'a,b\r\n1,2\r\n',
      {},
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\n\n\r\n1,2',
      {},
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['""\n', {}, [['']]],
    [',\n', {}, [['', '']]],
    ['"a ""b"""," c "\n', {}, [['a "b"', ' c ']]],
    ['"a\r\nb\n\nc",d\n', {}, [['a\r\nb\n\nc', 'd']]],
    ['a\t"b\tc"', { delimiter: '\t' }, [['a', 'b\tc']]],
    [
      'a\t"b\n"c"\td"\n',
      { delimiter: '\t', quotes: 'none' },
      [
        ['a', '"b'],
        ['"c"', 'd"'],
      ],
    ],
    ['a,b,c\n1,2,3\n', { columns: ['c', 'a'] }, [['3', '1']]],
    [
      'a,b,c\n1,2,3\n',
      { columns: [1, 1] },
      [
        ['b', 'b'],
        ['2', '2'],
      ],
    ],
    ['ab\n"c\n"\nd\n', { maximumRecordLength: 6 }, [['ab'], ['c\n'], ['d']]],
    ['', {}, []],
    ['a\n', { columns: ['a'] }, []],
  ])('reads %j with %j', async (text, options, fields) => {
    expect(await fieldsOf(text, options)).toEqual(fields);
  });

  it('numbers a record by the line it begins on', async () => {
    const lines = (await allOf(parseCsv(linesOf('a\n"b\nb"\n\nc\n')))).map(({ line }) => line);
    expect(lines).toEqual([1, 2, 5]);
  });

  it.each<[string, CsvOptions, string]>([
    [
      'a,b\n1,2,3\n',
      {},
      'wrong-count: parseCsv: t.csv: line 2: 3 fields, but the first record (line 1) has 2; they must be equal',
    ],
    [
      'a,b\n\n1\n',
      {},
      'wrong-count: parseCsv: t.csv: line 3: 1 fields, but the first record (line 1) has 2; they must be equal',
    ],
    [
      'a,b"c\n',
      {},
      'bad-csv: parseCsv: t.csv: line 1: field 2: "b\\"c" has a quote but does not begin with one; quote the whole field, or set quotes to none',
    ],
    [
      '"a\nb"c,d\n',
      {},
      'bad-csv: parseCsv: t.csv: line 2: field 1: "c" follows a closing quote; a delimiter "," or the line end is needed (a quote within quotes is doubled)',
    ],
    [
      'a\rb\n',
      {},
      'bad-csv: parseCsv: t.csv: line 1: field 1: "a\\rb" has a carriage return without a line feed; lines end with \\n or \\r\\n',
    ],
    [
      'a\n"b\nc\n',
      {},
      'bad-csv: parseCsv: t.csv: line 2: field 1 of this record opens a quote that is not closed by line 3, the last; add the closing quote',
    ],
    [
      'a\n"12\n45\n7"\n',
      { maximumRecordLength: 6 },
      'record-too-long: parseCsv: t.csv: line 2: the record has more than 6 characters, which is the limit; is a quote not closed?',
    ],
    [
      'a,b\n',
      { columns: ['a', 'c'] },
      'missing-column: parseCsv: t.csv: line 1: the header has no column "c"; it has "a", "b"',
    ],
    [
      'a,b,a\n',
      { columns: ['a'] },
      'missing-column: parseCsv: t.csv: line 1: the header has two columns "a" (0 and 2); rename one, or select by position',
    ],
    [
      `${Array.from({ length: 25 }, (_, at) => `c${at}`).join(',')}\n`,
      { columns: ['x'] },
      `missing-column: parseCsv: t.csv: line 1: the header has no column "x"; it has ${Array.from({ length: 20 }, (_, at) => `"c${at}"`).join(', ')} and 5 more`,
    ],
    [
      'a,b\n',
      { columns: [2] },
      'missing-column: parseCsv: t.csv: line 1: there is no column 2, only 2; positions are 0..1',
    ],
    ['\n\n', { columns: ['a', 'b'] }, 'empty-input: parseCsv: t.csv has no records; a header with "a", "b" is needed'],
    [
      'a',
      { delimiter: '' },
      'bad-option: parseCsv: delimiter is ""; one character other than a quote or a line end is needed',
    ],
    [
      'a',
      { delimiter: '"' },
      'bad-option: parseCsv: delimiter is "\\""; one character other than a quote or a line end is needed',
    ],
    ['a', { quotes: 'single' as never }, 'bad-option: parseCsv: quotes is "single"; rfc4180 or none is needed'],
    ['a', { columns: [] }, 'bad-option: parseCsv: columns is empty; at least 1 name or position is needed'],
    [
      'a',
      { columns: [-1] },
      'bad-option: parseCsv: a position in columns is -1; an integer in 0..2147483647 is needed',
    ],
    [
      'a',
      { columns: ['a', 1] as never },
      'bad-option: parseCsv: columns mixes names and positions; give all names (there is a header) or all positions (there is none)',
    ],
    [
      'a',
      { maximumRecordLength: 0 },
      'bad-option: parseCsv: maximumRecordLength is 0; an integer in 1..268435456 is needed',
    ],
  ])('refuses %j with %j', async (text, options, message) => {
    expect(await thrownBy(() => fieldsOf(text, { name: 't.csv', ...options }))).toBe(message);
  });

  it('delivers the records before a faulty one', async () => {
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const { fields } of parseCsv(['a', 'b', '"'])) seen.push(...fields);
      })(),
    ).rejects.toThrow('line 3');
    expect(seen).toEqual(['a', 'b']);
  });

  it('never fails other than by its own error, nor loses a character of an unquoted one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r'), maxLength: 12 }), async (text) => {
        const message = await thrownBy(() => fieldsOf(text));
        expect(message).toMatch(/^nothing was thrown$|^(?:bad-csv|wrong-count): parseCsv: input: line \d+: /);
        const kept = await fieldsOf(text, { quotes: 'none' }).catch(() => undefined);
        if (kept !== undefined)
          expect(kept.map((fields) => fields.join(','))).toEqual(
            text
              .split(/\r?\n/)
              .map((line) => line.replace(/\r$/, ''))
              .filter((line) => line !== ''),
          );
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a byte order mark at the start of a later record, as where files were joined', async () => {
    expect(await thrownBy(() => allOf(parseCsv(['\ufeffa,b\n', '1,2\n', '\ufeff3,4\n'])))).toBe(
      'bad-csv: parseCsv: input: line 3: field 1: it begins with a byte order mark (U+FEFF), as where files were joined; remove it, or quote the field',
    );
    expect((await allOf(parseCsv(['a,b\n', '"\ufeff3",4\n'])))[1]?.fields).toEqual(['\ufeff3', '4']);
  });
});
