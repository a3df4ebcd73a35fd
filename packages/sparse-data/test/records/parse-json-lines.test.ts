import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonLines } from '../../src/records/parse-json-lines.ts';
import { allOf } from '../all-of.ts';
import { thrownBy } from '../thrown-by.ts';

/** What JSON.parse says about a text: its wording belongs to the engine. */
function reasonFor(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no reason';
}

describe('parseJsonLines', () => {
  it('gives back any values with their lines', async () => {
    const json = fc.array(fc.jsonValue(), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(json, async (values) => {
        const texts = values.map((value) => JSON.stringify(value));
        const expected = texts.map((text, at) => ({ line: at + 1, text, value: JSON.parse(text) as unknown }));
        expect(await allOf(parseJsonLines(texts))).toEqual(expected);
      }),
    );
  });

  it('skips blank lines and counts them', async () => {
    expect(await allOf(parseJsonLines(['1', '', ' \t', '\r', ' "b" \r\n']))).toEqual([
      { line: 1, text: '1', value: 1 },
      { line: 5, text: ' "b" \r\n', value: 'b' },
    ]);
    expect(await allOf(parseJsonLines([]))).toEqual([]);
  });

  it('keeps __proto__ as a plain key', async () => {
    const [record] = await allOf(parseJsonLines(['{"__proto__": {"polluted": 1}}']));
    expect(Object.keys(record?.value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(record?.value)).toBe(Object.prototype);
  });

  it.each(['{"a": 1,}', 'nothing', '{', '1 2', '1\u{feff}', `[${'1,'.repeat(100)}`])(
    'names line and text of %j',
    async (text) => {
      const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
      const seen: unknown[] = [];
      const message = await thrownBy(async () => {
        for await (const { value } of parseJsonLines(['1', '', text, '4'], { name: 'train.jsonl' })) seen.push(value);
      });
      expect(message).toBe(
        `bad-json: parseJsonLines: train.jsonl: line 3: ${shown} is not JSON (${reasonFor(text)}); each line must be one whole JSON value`,
      );
      expect(seen).toEqual([1]);
    },
  );

  it('gives each line as it is, with what JavaScript cannot hold, but for a byte order mark', async () => {
    const lines = ['\ufeff{"id": 9007199254740993, "x":1e400 , "x": -0}', '\ufeff{"joined": true}', '\ufeff'];
    expect((await allOf(parseJsonLines(lines))).map(({ text }) => text)).toEqual(
      lines.slice(0, 2).map((line) => line.slice(1)),
    );
  });

  it('calls an input without a name input', async () => {
    expect(await thrownBy(() => allOf(parseJsonLines(['x'])))).toContain(
      'bad-json: parseJsonLines: input: line 1: "x" is not JSON',
    );
  });
});
