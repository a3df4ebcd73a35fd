import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentPieces, createWordSegmenter } from '../../src/text/word-segmenter.ts';

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
const segmentsOf = (text: string): string[] => [...segmenter.segment(text)].map(({ segment }) => segment);

/**
 * What boundaries depend on: letters, digits, marks, joiners, white space of many kinds, scripts with dictionaries,
 * flags, emoji.
 */
const unit = fc.constantFrom(
  'a',
  'B',
  'é',
  '1',
  '2',
  '.',
  ',',
  "'",
  '-',
  '_',
  ' ',
  '  ',
  '\t',
  '\u00a0',
  '\u3000',
  '\r\n',
  '\n',
  '\u0301',
  '\u200d',
  '\u200b',
  '\u00ad',
  '\uff9e',
  '東',
  '京',
  '。',
  '！',
  'カ',
  'タ',
  'ภาษา',
  'ไทย',
  'א',
  '"',
  '🇩',
  '🇪',
  '👩',
  '\u{1f3fd}',
  '😀',
  '\ud83d',
  'ㄱ',
  '한',
);

describe('segmentPieces', () => {
  it('cuts only where there is a word boundary anyway', () => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (text, least) => {
        const pieces = [...segmentPieces(text, least)];
        expect(pieces.join('')).toBe(text);
        expect(pieces.flatMap(segmentsOf)).toEqual(segmentsOf(text));
        for (const piece of pieces.slice(0, -1)) expect(piece.length).toBeGreaterThanOrEqual(least);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps a line of a million characters a matter of pieces', () => {
    const line = 'the quick brown fox, '.repeat(50_000);
    expect(Math.max(...[...segmentPieces(line, 512)].map(({ length }) => length))).toBeLessThan(520);
    let words = 0;
    for (const word of createWordSegmenter()(line)) words += word === ',' ? 0 : 1;
    expect(words).toBe(200_000);
  });
});
