import type { Tokenize } from './token-stream.ts';
import { SparseDataError, show } from '../errors.ts';

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

// A long text in pieces between which there is always a word boundary. Intl.Segmenter of V8 takes time with the square
// of the length (measured: 145,000 words a second in lines of 80 characters, 940 in one of 80,000), so it is given a
// piece at a time.
//
// A piece ends behind white space or an ideographic full stop, before a letter or digit that does not extend what is
// before it (UAX #29, WB4): no rule of UAX #29 joins across that, and no dictionary word of a script without spaces has
// it inside.

const SAFE_CUT = /(?<=[\p{White_Space}。！？])(?=[\p{L}\p{N}])(?!\p{Grapheme_Extend})/gu;

/** Pieces of `least` characters or more, but for the last; the text as it is where there is no place to cut. */
export function* segmentPieces(text: string, least: number): Generator<string, void, undefined> {
  let start = 0;
  while (text.length - start > least) {
    SAFE_CUT.lastIndex = start + least;
    const cut = SAFE_CUT.exec(text)?.index ?? text.length;
    yield text.slice(start, cut);
    start = cut;
  }
  if (start < text.length) yield text.slice(start);
}
