import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PART_LENGTH, partsOfLine } from '../../src/text/long-lines.ts';
import { countTokens, encodeTokens, whitespaceTokens, wordTokens } from '../../src/text/token-stream.ts';
import { createWordSegmenter } from '../../src/text/word-segmenter.ts';

const word = fc.constantFrom('the', "don't", '1,000', '東京', '。', '.', 'e\u0301', 'ΑΣ', '\u0301');
const space = fc.constantFrom(' ', '  ', '\t', '\u3000', '\n');

/** A line of more than two parts: the drawn words over and over. */
const longLine = fc
  .array(
    fc.tuple(word, space).map((pair) => pair.join('')),
    { minLength: 1, maxLength: 12 },
  )
  .map((words) => words.join('').repeat(Math.ceil((2.2 * PART_LENGTH) / words.join('').length)));

describe('partsOfLine', () => {
  it.each([
    ['whitespace', whitespaceTokens],
    ['words', (line: string) => wordTokens(line, { lowerCase: true })],
  ])('gives the words of the whole line: %s', (_, tokenize) => {
    fc.assert(
      fc.property(longLine, (line) => {
        const parts = [...partsOfLine(line)];
        expect(parts.length).toBeGreaterThan(2);
        expect(parts.join('') === line).toBe(true);
        const whole = tokenize(line);
        const found = parts.flatMap((part) => tokenize(part));
        expect(found.length).toBe(whole.length);
        expect(found.findIndex((token, at) => token !== whole[at])).toBe(-1);
      }),
      { numRuns: 4 },
    );
  });

  it('gives the words of a segmenter too, in a text without spaces', () => {
    const line = '東京は晴れです。'.repeat(PART_LENGTH / 4);
    const parts = [...partsOfLine(line)];
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.slice(0, -1).every((part) => part.endsWith('。'))).toBe(true);
    const segment = createWordSegmenter({ locale: 'ja' });
    expect([...segment(parts.at(-1) ?? '')].slice(0, 3)).toEqual([...segment(line.slice(0, 40))].slice(0, 3));
  });

  it('leaves a short line, and what cannot be divided, as it is', () => {
    expect([...partsOfLine('')]).toEqual(['']);
    expect([...partsOfLine('a b')]).toEqual(['a b']);
    const line = 'x'.repeat(3 * PART_LENGTH);
    expect([...partsOfLine(line)]).toEqual([line]);
  });
});

describe('a line in parts', () => {
  it('is one line for countTokens and encodeTokens', async () => {
    const lines = [{ part: 'a b' }, { part: ' a' }, ' b', 'c', { part: 'd' }, ''];
    const counter = await countTokens(lines, { endOfLine: '<eos>' });
    expect(counter.countOf('<eos>')).toBe(3);
    const vocabulary = counter.build({ specialTokens: ['<eos>'] });
    const tokens = await encodeTokens(lines, vocabulary, { endOfLine: '<eos>' });
    expect([...tokens].map((id) => vocabulary.tokenOf(id)).join(' ')).toBe('a b a b <eos> c <eos> d <eos>');
    const few = (await countTokens(['a b'])).build();
    await expect(encodeTokens(lines, few)).rejects.toThrow('line 2: token "c"');
  });
});
