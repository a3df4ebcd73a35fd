import { SparseDataError } from './errors.ts';
import { show } from './option-checks.ts';
import { segmentPieces } from './segment-pieces.ts';
import type { Tokenize } from './tokenize.ts';

/** `lower` and `upper` by the rules of the locale: in Turkish İ becomes i, elsewhere i with a dot. */
export type LetterCase = 'keep' | 'lower' | 'upper';

export interface WordSegmenterOptions {
  /** BCP 47, `ja` for instance; default `und`, the rules that no language changes. */
  readonly locale?: string;
  /** Default `keep`. */
  readonly letterCase?: LetterCase;
  /** Whether each punctuation mark and symbol is a token too; default true. */
  readonly punctuation?: boolean;
}

const PIECE_CHARACTERS = 512;
const WHITE_SPACE = /^\p{White_Space}+$/u;
const letterCases: readonly LetterCase[] = ['keep', 'lower', 'upper'];

/**
 * Words by Intl.Segmenter, that is by Unicode's rules (UAX #29) and for scripts without spaces (Thai, Chinese,
 * Japanese, Khmer …) by the dictionaries of the JavaScript engine: another version of it may cut them differently, so
 * keep tokens rather than text where that matters. `don't` is one word and `well-being` three; wordTokens has them as
 * one each, is faster, and is the same everywhere. Case is changed before words are cut. O(characters), about a hundred
 * thousand words a second: a seventh of wordTokens or less.
 * @throws SparseDataError `bad-option` for a locale or a case that is none.
 */
export function createWordSegmenter(options: WordSegmenterOptions = {}): Tokenize {
  const { locale = 'und', letterCase = 'keep', punctuation = true } = options;
  if (!letterCases.includes(letterCase))
    throw new SparseDataError(
      'bad-option',
      `createWordSegmenter: letterCase is ${show(letterCase)}; ${letterCases.join(', ')} are possible`,
    );
  const segmenter = createSegmenter(locale);
  return function* (line) {
    const text =
      letterCase === 'lower'
        ? line.toLocaleLowerCase(locale)
        : letterCase === 'upper'
          ? line.toLocaleUpperCase(locale)
          : line;
    for (const piece of segmentPieces(text, PIECE_CHARACTERS)) {
      for (const { segment, isWordLike } of segmenter.segment(piece)) {
        if (isWordLike === true || (punctuation && !WHITE_SPACE.test(segment))) yield segment;
      }
    }
  };
}

function createSegmenter(locale: string): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale, { granularity: 'word' });
  } catch (error) {
    throw new SparseDataError(
      'bad-option',
      `createWordSegmenter: locale is ${show(locale)}; a language tag such as en or zh-Hant is needed`,
      { cause: error },
    );
  }
}
