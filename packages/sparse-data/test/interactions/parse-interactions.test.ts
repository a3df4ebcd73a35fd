import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInteractions, type InteractionOptions } from '../../src/interactions/parse-interactions.ts';
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
      { line: 2, user: 'u', item: 'i', time },
    ]);
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
      {},
      'bad-interaction: parseInteractions: clicks.csv: line 2: time is ""; a finite number is needed (for dates set timeFormat to iso-8601)',
    ],
    [
      'u,i,2014-04-07',
      {},
      'bad-interaction: parseInteractions: clicks.csv: line 2: time is "2014-04-07"; a finite number is needed (for dates set timeFormat to iso-8601)',
    ],
    [
      'u,i,0x10',
      {},
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
      'bad-option: parseInteractions: timeFormat is "unix"; number or iso-8601 is needed',
    ],
  ])('refuses %j with %j', async (text, options, message) => {
    expect(
      await thrownBy(() => allOf(parseInteractions(['user,item,time', text], { name: 'clicks.csv', ...options }))),
    ).toBe(message);
  });
});
