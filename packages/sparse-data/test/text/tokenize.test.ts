import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whitespaceTokens, wordTokens } from '../../src/text/token-stream.ts';

describe('whitespaceTokens', () => {
  it('splits at runs of white space of any kind', () => {
    expect(whitespaceTokens(' a \t<unk>\u00a0= b.\u3000c ')).toEqual(['a', '<unk>', '=', 'b.', 'c']);
    expect(whitespaceTokens(' \t ')).toEqual([]);
    expect(whitespaceTokens('a \ufeff b\ufeff')).toEqual(['a', '\ufeff', 'b\ufeff']);
  });
});

describe('wordTokens', () => {
  it.each([
    ['"Don\'t," he said.', ['"', "Don't", ',', '"', 'he', 'said', '.']],
    ['the well-being of A-1 men\u2019s', ['the', 'well-being', 'of', 'A-1', 'men\u2019s']],
    ["the soldiers' pay -- 'tis", ['the', 'soldiers', "'", 'pay', '-', '-', "'", 'tis']],
    ['$1,000.50, 3rd 1.2.3. 5.', ['$', '1,000.50', ',', '3rd', '1.2.3', '.', '5', '.']],
    ['e.g.a,b', ['e', '.', 'g', '.', 'a', ',', 'b']],
    ['Ünïcödé cafe\u0301 Москва 東京。', ['Ünïcödé', 'cafe\u0301', 'Москва', '東京', '。']],
    ['ok\u{1F600}\u{1F44D}!', ['ok', '\u{1F600}', '\u{1F44D}', '!']],
    ['', []],
    ['-', ['-']],
  ])('splits %j', (line, tokens) => {
    expect(wordTokens(line)).toEqual(tokens);
  });

  it('folds to lower case when asked', () => {
    expect(wordTokens('The ÉTAT, İ')).toEqual(['The', 'ÉTAT', ',', 'İ']);
    expect(wordTokens('The ÉTAT, İ', { lowerCase: true })).toEqual(['the', 'état', ',', 'i\u0307']);
  });

  it('loses nothing but white space', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (line) => {
        expect(wordTokens(line).join('')).toBe(line.replace(/\p{White_Space}+/gu, ''));
      }),
    );
  });

  it('handles a line of 200,000 joined parts', () => {
    expect(wordTokens("a-'1.".repeat(200_000)).length).toBe(5 * 200_000);
    expect(wordTokens('a-'.repeat(200_000))).toEqual([`${'a-'.repeat(199_999)}a`, '-']);
  });
});
