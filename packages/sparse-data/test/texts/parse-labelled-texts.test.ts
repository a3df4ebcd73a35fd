import { describe, expect, it } from 'vitest';
import {
  detectLabelFormat,
  parseLabelledTexts,
  type LabelledTextFormat,
  type LabelledTexts,
} from '@vastmax/sparse-data/records';

interface Parsed {
  readonly lines: readonly number[];
  readonly texts: readonly string[];
  readonly labels: readonly string[];
}

function contents({ words, wordRows, labels, labelRows }: LabelledTexts): Pick<Parsed, 'texts' | 'labels'> {
  const rowsOf = (strings: typeof words, { rows, offsets, indices }: typeof wordRows): string[] =>
    Array.from({ length: rows }, (_, row) =>
      Array.from(indices.subarray(offsets[row], offsets[row + 1]), (index) => strings.textOf(index)).join(' '),
    );
  return { texts: rowsOf(words, wordRows), labels: rowsOf(labels, labelRows) };
}

/** @param blocks whole lines each. */
async function parse(blocks: readonly string[], options: LabelledTextFormat): Promise<Parsed[]> {
  const parsed: Parsed[] = [];
  const encoded = blocks.map((block) => new TextEncoder().encode(block));
  for await (const { texts, lines } of parseLabelledTexts(encoded, options)) parsed.push({ lines, ...contents(texts) });
  return parsed;
}

const example = { texts: ['a b </s>', 'c </s>', '</s>'], labels: ['x y', 'x', ''] };

describe('parseLabelledTexts', () => {
  it.each<[string, LabelledTextFormat, readonly string[]]>([
    ['fastText', { format: 'fasttext' }, ['__label__x a b __label__y\n', '__label__x c\n\n']],
    [
      'CSV, with a separator',
      { format: 'csv', labelSeparator: ';' },
      ['id,text,label\n1,"a\nb",x; y\n', '2,c,x\n3,,\n'],
    ],
    [
      'TSV, with quotes as text',
      { format: 'tsv', labelColumn: 'l', labelSeparator: ' ' },
      ['l\ttext\nx y\ta b\nx\tc\n\t\n'],
    ],
    [
      'JSON Lines, with one label, several or none',
      { format: 'jsonl', textColumn: 'body' },
      ['{"body":"a b","label":["x","y"]}\n', '{"body":"c","label":"x"}\n{"body":"","label":null}'],
    ],
  ])('reads %s', async (_name, options, blocks) => {
    expect(await parse(blocks, options)).toEqual([{ lines: [], ...example }]);
  });

  it('gives some texts at a time with their lines, and reads no labels where none are asked for', async () => {
    const batches = await parse(['__label__x a\nb\n', '\nc'], { format: 'fasttext', batchSize: 3 });
    expect(batches).toEqual([
      { lines: [1, 2, 3], texts: ['a </s>', 'b </s>', '</s>'], labels: ['x', '', ''] },
      { lines: [4], texts: ['c </s>'], labels: [''] },
    ]);
    const csv = await parse(['text\n"a\nb"\n\nc\n'], { format: 'csv', batchSize: 2, withLabels: false });
    expect(csv).toEqual([{ lines: [2, 5], texts: ['a b </s>', 'c </s>'], labels: ['', ''] }]);
    const json = await parse(['{"text":"a"}\n\n{"text":"b"}\n'], { format: 'jsonl', batchSize: 1, withLabels: false });
    expect(json.map(({ lines }) => lines)).toEqual([[1], [3]]);
  });

  it.each<[LabelledTextFormat, string, string]>([
    [{ format: 'csv', name: 'a.csv' }, 'text\na\n', 'a.csv: line 1: the header has no column "label"; it has "text"'],
    [{ format: 'csv', name: 'a.csv' }, 'text,label\na\n', 'a.csv: line 2: 1 fields, but the first record'],
    [{ format: 'jsonl', name: 'a.jsonl' }, '{"text":"a"}\n', 'a.jsonl: line 1: there is no field "label", but "text"'],
    [{ format: 'jsonl' }, '{"text":1,"label":"x"}\n', 'line 1: "text" is 1; a string is needed'],
    [{ format: 'jsonl' }, '\n{"text":"a","label":[{}]}\n', 'line 2: "label" has an object; a string, a number'],
    [{ format: 'jsonl' }, '"a"\n', 'line 1: "a" is no object; one with "text" is needed'],
    [{ format: 'jsonl' }, '{\n', 'line 1: "{" is not JSON'],
  ])('%j of %j is refused', async (options, text, message) => {
    await expect(parse([text], options)).rejects.toThrow(message);
  });
});

it.each([
  ['a.csv', '1 2 3', 'csv'],
  ['a.TSV.gz', '', 'tsv'],
  ['a.ndjson', '', 'jsonl'],
  ['a.jsonl.br', '', 'jsonl'],
  ['a.txt', '3 4 5', 'xmc'],
  ['a.txt', '\ufeff3 4 5\r', 'xmc'],
  ['a.txt', '3 4 5 6', undefined],
  ['a.txt', 'word __label__x', 'fasttext'],
  ['a.txt', 'word__label__x', undefined],
  ['a', '{"text": "a"}', 'jsonl'],
  ['a', '{ not json', undefined],
])('the format of %s beginning %j is %s', (path, line, format) => {
  expect(detectLabelFormat(path, line, '__label__')).toBe(format);
});
