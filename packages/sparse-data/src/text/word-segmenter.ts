import type { Tokenize } from './token-stream.ts';
import { SparseDataError, show } from '../errors.ts';

/**
 * `lower` and `upper` use the rules of the locale: in Turkish İ becomes i, in other languages i with a combining dot.
 */
export type LetterCase = 'keep' | 'lower' | 'upper';

/** The language whose words are told apart, the case of letters, and whether punctuation counts. */
export interface WordSegmenterOptions {
  /** A BCP 47 language tag, such as `ja`; default `und`, the language-independent rules. */
  readonly locale?: string;
  /** Default `keep`. */
  readonly letterCase?: LetterCase;
  /** Whether punctuation marks and symbols are tokens too; default true. */
  readonly punctuation?: boolean;
}

const PIECE_CHARACTERS = 512;
const WHITE_SPACE = /^\p{White_Space}+$/u;
const letterCases: readonly LetterCase[] = ['keep', 'lower', 'upper'];

/**
 * Words by Intl.Segmenter, that is, by the rules of Unicode (UAX #29) and, for scripts without spaces (Thai, Chinese,
 * Japanese, Khmer …), by the dictionaries of the JavaScript engine. Another version of the engine may split such text
 * differently, so store tokens instead of text if that matters. `don't` is one word and `well-being` is three; in
 * wordTokens each is one word, and wordTokens is faster and the same on all engines. Letter case is changed before the
 * text is split. O(characters), about a hundred thousand words per second: at most a seventh of the speed of
 * wordTokens.
 * @throws SparseDataError `bad-option` for an invalid locale or letter case.
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

// Splits a long text into pieces at places where there is always a word boundary. The time of Intl.Segmenter in V8 is
// quadratic in the length (measured: 145,000 words per second in lines of 80 characters, 940 in a line of 80,000), so
// it gets one piece at a time.
//
// A piece ends after white space or an ideographic full stop, and before a letter or digit that does not extend the
// character before it (UAX #29, WB4). No rule of UAX #29 joins two words across such a place, and no dictionary word of
// a script without spaces contains one.

const SAFE_CUT = /(?<=[\p{White_Space}。！？])(?=[\p{L}\p{N}])(?!\p{Grapheme_Extend})/gu;

/** Pieces of at least `minimumLength` characters, except for the last; the whole text if it cannot be split. */
export function* segmentPieces(text: string, minimumLength: number): Generator<string, void, undefined> {
  let start = 0;
  while (text.length - start > minimumLength) {
    SAFE_CUT.lastIndex = start + minimumLength;
    const cut = SAFE_CUT.exec(text)?.index ?? text.length;
    yield text.slice(start, cut);
    start = cut;
  }
  if (start < text.length) yield text.slice(start);
}
