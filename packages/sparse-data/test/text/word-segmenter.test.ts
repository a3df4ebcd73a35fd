import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWordSegmenter } from '../../src/text/word-segmenter.ts';
import { thrownBy } from '../thrown-by.ts';

const words = (line: string, options = {}): string[] => [...createWordSegmenter(options)(line)];

describe('createWordSegmenter', () => {
  it.each([
    ['"Don\'t," he said.', ['"', "Don't", ',', '"', 'he', 'said', '.']],
    ['a well-being of  3,000.50\t€', ['a', 'well', '-', 'being', 'of', '3,000.50', '€']],
    ['caf\u0065\u0301 Москва', ['caf\u0065\u0301', 'Москва']],
    ['👩‍👩‍👧 ok', ['👩‍👩‍👧', 'ok']],
    ['', []],
    [' \u00a0\u3000', []],
  ])('cuts %j', (line, tokens) => {
    expect(words(line)).toEqual(tokens);
  });

  it('cuts scripts that have no spaces into words', () => {
    const japanese = words('私は東京に住んでいます。', { locale: 'ja' });
    expect(japanese.join('')).toBe('私は東京に住んでいます。');
    expect(japanese).toContain('東京');
    expect(words('ฉันรักภาษาไทย', { locale: 'th' }).length).toBeGreaterThan(2);
  });

  it('leaves punctuation out when told to', () => {
    expect(words('"Don\'t," he said — 👍.', { punctuation: false })).toEqual(["Don't", 'he', 'said']);
  });

  it('changes case, by the rules of the locale', () => {
    expect(words('The İstanbul Straße')).toEqual(['The', 'İstanbul', 'Straße']);
    expect(words('The ISTANBUL Straße', { letterCase: 'lower' })).toEqual(['the', 'istanbul', 'straße']);
    expect(words('The ISTANBUL', { letterCase: 'lower', locale: 'tr' })).toEqual(['the', 'ıstanbul']);
    expect(words('The Straße', { letterCase: 'upper' })).toEqual(['THE', 'STRASSE']);
    expect(words('istanbul', { letterCase: 'upper', locale: 'tr' })).toEqual(['İSTANBUL']);
  });

  it('loses nothing but white space', () => {
    const segment = createWordSegmenter();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (line) => {
        expect([...segment(line)].join('').replace(/\p{White_Space}+/gu, '')).toBe(
          line.replace(/\p{White_Space}+/gu, ''),
        );
      }),
    );
  });

  it('refuses a locale and a case that are none', async () => {
    expect(await thrownBy(() => createWordSegmenter({ locale: 'not a locale' }))).toBe(
      'bad-option: createWordSegmenter: locale is "not a locale"; a language tag such as en or zh-Hant is needed',
    );
    expect(await thrownBy(() => createWordSegmenter({ letterCase: 'title' as 'lower' }))).toBe(
      'bad-option: createWordSegmenter: letterCase is "title"; keep, lower, upper are possible',
    );
  });
});
