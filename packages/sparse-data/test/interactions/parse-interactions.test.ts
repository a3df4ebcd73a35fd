import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseInteractionRecords,
  parseInteractions,
  parseItemLines,
  type InteractionOptions,
} from '../../src/interactions/parse-interactions.ts';
import { detectInteractionFormat } from '../../src/interactions/interaction-formats.ts';
import { parseJsonLines } from '../../src/records/parse-json-lines.ts';
import { allOf } from '../all-of.ts';
import { csvStyle, linesOf, writeCsv } from '../records/csv-text.ts';
import { thrownBy } from '../thrown-by.ts';

describe('parseInteractions', () => {
  it('gives back any interactions', async () => {
    const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 });
    const interaction = fc.record({ user: id, item: id, time: fc.double({ noNaN: true, noDefaultInfinity: true }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(interaction, { maxLength: 5 }),
        csvStyle,
        fc.boolean(),
        async (interactions, style, hasHeader) => {
          const rows = interactions.map(({ user, item, time }) => [String(time), user, '5', item]);
          const lines = linesOf(writeCsv(hasHeader ? [['time', 'user', 'rating', 'item'], ...rows] : rows, style));
          const options: InteractionOptions = hasHeader ? {} : { columns: { user: 1, item: 3, time: 0 } };
          const read = await allOf(parseInteractions(lines, { ...options, delimiter: style.delimiter }));
          expect(read.map(({ user, item, time }) => ({ user, item, time }))).toEqual(
            interactions.map((each) => ({ ...each, time: Number(String(each.time)) })),
          );
        },
      ),
    );
  });

  it('gives back any date as seconds', async () => {
    const range = {
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    };
    await fc.assert(
      fc.asyncProperty(fc.date(range), async (date) => {
        const [read] = await allOf(
          parseInteractions([`u\ti\t${date.toISOString()}`], {
            columns: { user: 0, item: 1, time: 2 },
            delimiter: '\t',
            timeFormat: 'iso-8601',
          }),
        );
        expect(Math.round((read?.time ?? Number.NaN) * 1000)).toBe(date.getTime());
      }),
    );
  });

  it.each([
    ['1970-01-02', 86_400],
    ['1970-01-01T00:01', 60],
    ['1970-01-01 00:00:01.25', 1.25],
    ['1970-01-01T02:00:00+01:30', 1800],
    ['2024-02-29', 1_709_164_800],
    ['1969-12-31T23:59:59Z', -1],
  ])('reads %s as UTC', async (text, time) => {
    expect(await allOf(parseInteractions(['user,item,time', `u,i,${text}`], { timeFormat: 'iso-8601' }))).toEqual([
      { line: 2, user: 'u', item: 'i', time, weight: 1 },
    ]);
    expect(await allOf(parseInteractions(['user,item,time', `u,i,${text}`]))).toMatchObject([{ time }]);
  });

  const date = 'a date such as 2014-04-07T10:51:09Z is needed';

  it.each<[string, InteractionOptions, string]>([
    [
      ',i,1',
      {},
      'bad-interaction: parseInteractions: clicks.csv: line 2: user is empty (item "i"); each interaction needs a user',
    ],
    [
      'u,,1',
      {},
      'bad-interaction: parseInteractions: clicks.csv: line 2: item is empty (user "u"); each interaction needs an item',
    ],
    [
      'u,i,',
      { timeFormat: 'number' },
      'bad-interaction: parseInteractions: clicks.csv: line 2: time is empty; a finite number is needed (for dates set timeFormat to iso-8601)',
    ],
    [
      'u,i,2014-04-07',
      { timeFormat: 'number' },
      'bad-interaction: parseInteractions: clicks.csv: line 2: time is "2014-04-07"; a finite number is needed (for dates set timeFormat to iso-8601)',
    ],
    [
      'u,i,0x10',
      { timeFormat: 'number' },
      'bad-interaction: parseInteractions: clicks.csv: line 2: time is "0x10"; a finite number is needed (for dates set timeFormat to iso-8601)',
    ],
    ...[
      '2023-02-29',
      '2023-13-01',
      '7 April 2014',
      '1396867869',
      '2014-04-07T24:30',
      '2014-04-07T10:51:60',
      '2014-04-07T10:51:09+99:00',
    ].map((text): [string, InteractionOptions, string] => [
      `u,i,${text}`,
      { timeFormat: 'iso-8601' },
      `bad-interaction: parseInteractions: clicks.csv: line 2: time is ${JSON.stringify(text)}; ${date}`,
    ]),
    ['u,i,soon', {}, `bad-interaction: parseInteractions: clicks.csv: line 2: time is "soon"; ${date}`],
    ...['0', '-1', 'x'].map((text): [string, InteractionOptions, string] => [
      `${text},i,1`,
      { columns: { user: 'item', weight: 'user' } },
      `bad-interaction: parseInteractions: clicks.csv: line 2: weight is "${text}"; a finite number above 0 is needed: leave such interactions out`,
    ]),
    [
      'u,i',
      {},
      'wrong-count: parseCsv: clicks.csv: line 2: 2 fields, but the first record (line 1) has 3; they must be equal',
    ],
    [
      'u,i,1',
      { columns: { user: 'user', item: 'movie', time: 'time' } },
      'missing-column: parseCsv: clicks.csv: line 1: the header has no column "movie"; it has "user", "item", "time"',
    ],
    [
      'u,i,1',
      { timeFormat: 'unix' as never },
      'bad-option: parseInteractions: timeFormat is "unix"; auto, number or iso-8601 is needed',
    ],
  ])('refuses %j with %j', async (text, options, message) => {
    expect(
      await thrownBy(() => allOf(parseInteractions(['user,item,time', text], { name: 'clicks.csv', ...options }))),
    ).toBe(message);
  });
});

describe('the columns', () => {
  it('time and weight are read where the header has them, and needed where they are named', async () => {
    const lines = ['weight,user,extra,item', '2.5,u,x,i'];
    expect(await allOf(parseInteractions(lines))).toEqual([{ line: 2, user: 'u', item: 'i', time: 0, weight: 2.5 }]);
    expect(await allOf(parseInteractions(lines, { columns: { item: 'extra' } }))).toMatchObject([{ item: 'x' }]);
    expect(await thrownBy(() => allOf(parseInteractions(lines, { columns: { time: 'when' } })))).toBe(
      'missing-column: parseCsv: input: line 1: the header has no column "when"; it has "weight", "user", "extra", "item"',
    );
    expect(
      await allOf(parseInteractions(['i u 4', 'j v 1'], { delimiter: ' ', columns: { user: 1, item: 0, weight: 2 } })),
    ).toMatchObject([
      { user: 'u', item: 'i', time: 0, weight: 4 },
      { user: 'v', item: 'j', time: 0, weight: 1 },
    ]);
    expect(await thrownBy(() => allOf(parseInteractions([])))).toBe(
      'empty-input: parseInteractions: input has no records; a header with "user" and "item" is needed',
    );
  });

  it('the first time tells whether times are numbers or dates', async () => {
    const read = (...times: string[]): Promise<unknown> =>
      allOf(parseInteractions(['user,item,time', ...times.map((time) => `u,i,${time}`)]));
    expect(await read('1970-01-02', '1970-01-01')).toMatchObject([{ time: 86_400 }, { time: 0 }]);
    expect(await thrownBy(() => read('1970-01-02', '7'))).toContain('line 3: time is "7"; a date such as');
    expect(await thrownBy(() => read('7', '1970-01-02'))).toContain(
      'line 3: time is "1970-01-02"; a finite number is needed',
    );
  });
});

describe('parseInteractionRecords', () => {
  it('reads fields of any type', async () => {
    const records = [
      { line: 1, value: { user: 7, item: 'a', time: '1970-01-02', weight: 2n } },
      { line: 2, value: { user: 8n, item: 9, time: new Date(1500), weight: '3' } },
    ];
    expect(await allOf(parseInteractionRecords(records))).toEqual([
      { line: 1, user: '7', item: 'a', time: 86_400, weight: 2 },
      { line: 2, user: '8', item: '9', time: 1.5, weight: 3 },
    ]);
    const lines = ['{"who":"u","item":"i"}'];
    expect(await allOf(parseInteractionRecords(parseJsonLines(lines), { columns: { user: 'who' } }))).toEqual([
      { line: 1, user: 'u', item: 'i', time: 0, weight: 1 },
    ]);
  });

  it('wants of all records the time and the weight that the first one has', async () => {
    const values = [
      { user: 'u', item: 'a', time: 2 },
      { user: 'u', item: 'b' },
    ];
    const records = values.map((value, i) => ({ line: i + 1, value }));
    expect(await thrownBy(() => allOf(parseInteractionRecords(records, { name: 'a.jsonl' })))).toContain(
      'missing-column: parseInteractionRecords: a.jsonl: line 2: there is no field "time"; it has "user", "item"',
    );
  });

  it.each<[unknown, string]>([
    ['x', 'bad-interaction: parseInteractionRecords: a.jsonl: line 3: "x" is no object; each line must be one'],
    [{ item: 1 }, 'missing-column: parseInteractionRecords: a.jsonl: line 3: there is no field "user"; it has "item"'],
    [{}, 'there is no field "user"; it has none'],
    [{ user: 1.5, item: 1 }, 'bad-interaction: parseInteractionRecords: a.jsonl: line 3: user is 1.5 (item 1)'],
    [{ user: 'u', item: null }, 'line 3: item is null (user "u")'],
    [{ user: 'u', item: 'i', time: null }, 'line 3: time is null; a date such as'],
    [{ user: 'u', item: 'i', weight: -2 }, 'line 3: weight is -2; a finite number above 0 is needed'],
  ])('refuses %j', async (value, message) => {
    expect(await thrownBy(() => allOf(parseInteractionRecords([{ line: 3, value }], { name: 'a.jsonl' })))).toContain(
      message,
    );
  });
});

describe('the other formats', () => {
  it('a line is a user and items', async () => {
    expect(await allOf(parseItemLines(['\ufeffu a  b\r\n', '', 'v', ' w\tb '].values()))).toEqual([
      { line: 1, user: 'u', item: 'a', time: 0, weight: 1 },
      { line: 1, user: 'u', item: 'b', time: 0, weight: 1 },
      { line: 4, user: 'w', item: 'b', time: 0, weight: 1 },
    ]);
  });

  it.each([
    ['a.csv.gz', '', 'csv'],
    ['a.TSV', 'user,item', 'tsv'],
    ['a.ndjson', '', 'jsonl'],
    ['-', ' {"user": 1}', 'jsonl'],
    ['u.data', '1\t2\t3', 'tsv'],
    ['a.txt', 'user,item', 'csv'],
    ['a.txt.br', '1 2 3', 'lines'],
  ])('%s that begins with %j is %s', (path, line, format) => {
    expect(detectInteractionFormat(path, line)).toBe(format);
  });
});
