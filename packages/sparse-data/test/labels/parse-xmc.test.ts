import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseXmc, parseXmcHeader, type XmcOptions } from '../../src/labels/parse-xmc.ts';
import { allOf } from '../all-of.ts';
import { thrownBy } from '../thrown-by.ts';

async function plain(
  lines: readonly string[],
  options?: XmcOptions,
): Promise<{ line: number; labels: number[]; entries: [number, number][] }[]> {
  return (await allOf(parseXmc(lines, options))).map(({ line, labels, features, values }) => ({
    line,
    labels: [...labels],
    entries: [...features].map((feature, at): [number, number] => [feature, values[at] ?? Number.NaN]),
  }));
}

const point = fc.record({
  labels: fc.array(fc.nat(4), { maxLength: 4 }),
  entries: fc.array(fc.tuple(fc.nat(8), fc.double({ noNaN: true, noDefaultInfinity: true })), { maxLength: 5 }),
});

describe('parseXmc', () => {
  it('gives back any points, labels and features counted from 0 or features from 1, with a header or without', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(point, { maxLength: 6 }),
        fc.constantFrom(0 as const, 1 as const),
        fc.boolean(),
        async (points, firstFeature, hasHeader) => {
          const lines = points.map(({ labels, entries }) =>
            [labels.join(','), ...entries.map(([feature, value]) => `${feature + firstFeature}:${value}`)].join(' '),
          );
          const shape = { features: 9, labels: 5 };
          // Without a header a blank line is none.
          const kept = hasHeader ? points : points.filter(({ labels, entries }) => labels.length + entries.length > 0);
          const read = await plain(
            hasHeader ? [`${points.length} 9 5`, ...lines] : lines,
            hasHeader ? { firstFeature } : { firstFeature, shape },
          );
          expect(read.map(({ labels, entries }) => ({ labels, entries }))).toEqual(
            kept.map(({ labels, entries }) => ({
              labels,
              entries: entries.map(([feature, value]) => [feature, Number(String(value))]),
            })),
          );
        },
      ),
    );
  });

  it('reads points without labels, without features, and with loose white space', async () => {
    expect(await plain(['5 9 5', ' 1:2', '1:2 \t3:-.5e1 ', '0,4', '', '2\t8:1.\r\n', '', ' \n'])).toEqual([
      { line: 2, labels: [], entries: [[1, 2]] },
      {
        line: 3,
        labels: [],
        entries: [
          [1, 2],
          [3, -5],
        ],
      },
      { line: 4, labels: [0, 4], entries: [] },
      { line: 5, labels: [], entries: [] },
      { line: 6, labels: [2], entries: [[8, 1]] },
    ]);
  });

  it('gives all points of a file the same shape', async () => {
    const [first, second] = await allOf(parseXmc(['2 9 5', '0 1:1', '1 1:1']));
    expect(first?.shape).toEqual({ features: 9, labels: 5 });
    expect(second?.shape).toBe(first?.shape);
  });

  const header =
    '; three integers `points features labels`, at most 2147483647, are needed (for a file without a header give its shape)';

  it.each<[string[], XmcOptions, string]>([
    [['1 9'], {}, `bad-xmc: parseXmc: t.txt: line 1: "1 9" is not a header${header}`],
    [['1 9 -5'], {}, `bad-xmc: parseXmc: t.txt: line 1: "1 9 -5" is not a header${header}`],
    [['1 4294967296 5'], {}, `bad-xmc: parseXmc: t.txt: line 1: "1 4294967296 5" is not a header${header}`],
    [['0 1:1'], {}, `bad-xmc: parseXmc: t.txt: line 1: "0 1:1" is not a header${header}`],
    [[], {}, 'empty-input: parseXmc: t.txt has no lines; a header `points features labels` is needed'],
    [
      ['2 9 5', '0 1:1'],
      {},
      'wrong-count: parseXmc: t.txt: line 2: the input ends after 1 points, but the header says 2; it is cut off, or the header is wrong',
    ],
    [
      ['1 9 5', '0 1:1', '1 1:1'],
      {},
      'wrong-count: parseXmc: t.txt: line 3: point 2 follows, but the header says 1 points; correct the header or remove the line',
    ],
    [
      ['1 9 5', '0 9:1'],
      {},
      'index-out-of-range: parseXmc: t.txt: line 2: feature is 9, but there are 9 features; they are 0..8',
    ],
    [
      ['1 9 5', '0 0:1'],
      { firstFeature: 1 },
      'index-out-of-range: parseXmc: t.txt: line 2: feature is 0, but there are 9 features; they are 1..9',
    ],
    [
      ['1 9 5', '0,5 1:1'],
      {},
      'index-out-of-range: parseXmc: t.txt: line 2: label is 5, but there are 5 labels; they are 0..4',
    ],
    [
      ['1 9 0', '0 1:1'],
      {},
      'index-out-of-range: parseXmc: t.txt: line 2: label is 0, but there are 0 labels; none is allowed',
    ],
    [
      ['1 9 5', '0, 1:1'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: label "" is not an integer of at least 0; labels are separated by commas, without spaces',
    ],
    [
      ['1 9 5', '+1 1:1'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: label "+1" is not an integer of at least 0; labels are separated by commas, without spaces',
    ],
    [
      ['1 9 5', '0 1:1 2:x'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 2 is "2:x"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['1 9 5', '0 1:'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 1 is "1:"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['1 9 5', '0 1:1e999'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 1 is "1:1e999"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['1 9 5', '0 1:NaN'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 1 is "1:NaN"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['1 9 5', '0 1:1:1'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 1 is "1:1:1"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['1 9 5', ' 1'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 1 is "1"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['1 9 5', '0 1'],
      {},
      'bad-xmc: parseXmc: t.txt: line 2: entry 1 is "1"; `feature:value`, an integer and a finite number, is needed',
    ],
    [
      ['0 1:1'],
      { shape: { features: -1, labels: 1 } },
      'bad-option: parseXmc: shape.features is -1; an integer in 0..2147483647 is needed',
    ],
    [['0 1:1'], { firstFeature: 2 as never }, 'bad-option: parseXmc: firstFeature is 2; an integer in 0..1 is needed'],
  ])('refuses %j with %j', async (lines, options, message) => {
    expect(await thrownBy(() => allOf(parseXmc(lines, { name: 't.txt', ...options })))).toBe(message);
  });

  it('never fails other than by its own error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('1', '9', ':', ',', ' ', '-', '.', 'e'), maxLength: 10 }), {
          maxLength: 3,
        }),
        async (lines) => {
          expect(await thrownBy(() => allOf(parseXmc(['2 9 5', ...lines])))).toMatch(
            /^nothing was thrown$|^(?:bad-xmc|wrong-count|index-out-of-range): parseXmc: input: line \d+: /,
          );
        },
      ),
    );
  });
});

describe('parseXmcHeader', () => {
  it('reads the three counts', () => {
    expect(parseXmcHeader(' 4880 1836\t159 \r')).toEqual({ points: 4880, features: 1836, labels: 159 });
  });

  it('drops a byte order mark at the start, and of a line where files were joined', async () => {
    const shape = { features: 2, labels: 3 };
    const points = await allOf(parseXmc(['\ufeff1 0:1', '\ufeff2 1:1'], { shape }));
    expect(points.map(({ labels }) => [...labels])).toEqual([[1], [2]]);
    expect((await allOf(parseXmc(['\ufeff1 2 3', '1 0:1'])))[0]?.shape).toEqual(shape);
  });
});
