// The pre-tokenizers of tokenizer.json, as the reference implementation has them: they cut a text into the pieces that
// a model then divides into tokens.

import { bytesToLetters } from './byte-letters.ts';
import type { Fields } from './fields.ts';
import { escapeRegExp, readPattern, SPACE } from './patterns.ts';
import { counted } from '../tokenizer-limits.ts';

export interface Piece {
  readonly text: string;
  /** Whether the text that is tokenised begins with it. */
  readonly isFirst: boolean;
}

export type PreTokenize = (pieces: readonly Piece[]) => readonly Piece[];

const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
type Behavior = (typeof behaviors)[number];

const types = [
  'Sequence',
  'BertPreTokenizer',
  'ByteLevel',
  'CharDelimiterSplit',
  'Metaspace',
  'Whitespace',
  'WhitespaceSplit',
  'Split',
  'Punctuation',
  'Digits',
  'FixedLength',
] as const;

const PUNCTUATION = String.raw`[\p{P}!-\x2f:-@\[-\x60\{-\x7e]`;
/** Of the Rust package regex. */
const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;
const GPT2 = new RegExp(
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^${SPACE}\p{L}\p{N}]+|${SPACE}+(?!\P{White_Space})|${SPACE}+`,
  'gu',
);

/** @throws SparseDataError `bad-tokenizer` for a pre-tokenizer that is not known here, or an invalid one. */
export function readPreTokenizer(fields: Fields): PreTokenize {
  const preTokenize = readKind(fields);
  fields.end();
  return counted(preTokenize, (pieces) => pieces.reduce((sum, { text }) => sum + text.length, 0));
}

function readKind(fields: Fields): PreTokenize {
  const type = fields.oneOf('type', types);
  switch (type) {
    case 'Sequence': {
      const all = fields.objects('pretokenizers').map((each, at) => {
        // Which piece is the first is a question of offsets in the text before it was normalised and cut.
        if (at > 0 && each.get('prepend_scheme') === 'first')
          throw each.error('has prepend_scheme first after another pre-tokenizer; it is known here as the first only');
        return readPreTokenizer(each);
      });
      return (pieces) => all.reduce((cut, preTokenize) => preTokenize(cut), pieces);
    }
    case 'BertPreTokenizer': {
      const spaces = splitAt(new RegExp(SPACE, 'gu'), 'Removed');
      const marks = splitAt(new RegExp(PUNCTUATION, 'gu'), 'Isolated');
      return (pieces) => marks(spaces(pieces));
    }
    case 'Whitespace':
      return splitAt(new RegExp(`[${WORD}]+|[^${WORD}${SPACE}]+`, 'gu'), 'Removed', true);
    case 'WhitespaceSplit':
      return splitAt(new RegExp(SPACE, 'gu'), 'Removed');
    case 'CharDelimiterSplit':
      return splitAt(new RegExp(escapeRegExp(fields.string('delimiter')), 'gu'), 'Removed');
    case 'Split': {
      const pattern = readPattern(fields, 'pattern');
      return splitAt(pattern, fields.oneOf('behavior', behaviors), fields.boolean('invert', false));
    }
    case 'Punctuation':
      return splitAt(new RegExp(PUNCTUATION, 'gu'), fields.oneOf('behavior', behaviors, 'Isolated'));
    case 'Digits':
      return splitAt(/\p{N}/gu, fields.boolean('individual_digits', false) ? 'Isolated' : 'Contiguous');
    case 'FixedLength': {
      const length = fields.count('length');
      if (length === 0) throw fields.error('has length 0; at least 1 is needed');
      return splitAt(new RegExp(`[^]{1,${length}}`, 'gu'), 'Isolated');
    }
    case 'ByteLevel':
      return readByteLevel(fields);
    case 'Metaspace':
      return readMetaspace(fields);
  }
}

function readByteLevel(fields: Fields): PreTokenize {
  const addsSpace = fields.boolean('add_prefix_space', true);
  fields.boolean('trim_offsets', true);
  const split: PreTokenize = fields.boolean('use_regex', true) ? splitAt(GPT2, 'Isolated') : (pieces) => pieces;
  return (pieces) =>
    split(addsSpace ? pieces.map((piece) => withPrefix(piece, ' ', ' ')) : pieces).map(({ text, isFirst }) => ({
      text: bytesToLetters(text),
      isFirst,
    }));
}

function readMetaspace(fields: Fields): PreTokenize {
  const replacement = fields.string('replacement');
  if ([...replacement].length !== 1) throw fields.error('has a replacement that is not one character');
  // Files of early versions have add_prefix_space in place of prepend_scheme.
  const adds = fields.optional('add_prefix_space', (name) => fields.boolean(name));
  const scheme = fields.oneOf('prepend_scheme', ['always', 'never', 'first'], adds === false ? 'never' : 'always');
  if (adds === false && scheme !== 'never')
    throw fields.error(`has add_prefix_space false and prepend_scheme ${scheme}, which contradict each other`);
  const legacy = fields.optional('str_rep', (name) => fields.string(name));
  if (legacy !== undefined && legacy !== replacement) throw fields.error('has str_rep and replacement, which differ');
  const split: PreTokenize = fields.boolean('split', true)
    ? splitAt(new RegExp(escapeRegExp(replacement), 'gu'), 'MergedWithNext')
    : (pieces) => pieces;
  return (pieces) =>
    split(
      pieces.map(({ text, isFirst }) => {
        const piece = { text: text.replaceAll(' ', () => replacement), isFirst };
        return scheme === 'always' || (scheme === 'first' && isFirst)
          ? withPrefix(piece, replacement, replacement)
          : piece;
      }),
    );
}

function withPrefix({ text, isFirst }: Piece, prefix: string, unless: string): Piece {
  return { text: text.startsWith(unless) ? text : prefix + text, isFirst };
}

/**
 * Cuts pieces at the matches of a pattern; empty ones are left out.
 * @param inverted whether what is not matched counts as matched, and the other way round.
 */
function splitAt(pattern: RegExp, behavior: Behavior, inverted = false): PreTokenize {
  return (pieces) =>
    pieces.flatMap(({ text, isFirst }) =>
      merged(cuts(text, pattern, inverted), behavior)
        .filter(({ start, end }) => end > start)
        .map(({ start, end }) => ({ text: text.slice(start, end), isFirst: isFirst && start === 0 })),
    );
}

interface Cut {
  readonly start: number;
  end: number;
  readonly isMatch: boolean;
}

/** The matches and what is between them. */
function cuts(text: string, pattern: RegExp, inverted: boolean): Cut[] {
  const result: Cut[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > end) result.push({ start: end, end: index, isMatch: inverted });
    end = index + match.length;
    result.push({ start: index, end, isMatch: !inverted });
  }
  if (end < text.length) result.push({ start: end, end: text.length, isMatch: inverted });
  return result;
}

function merged(all: readonly Cut[], behavior: Behavior): readonly Cut[] {
  if (behavior === 'Isolated') return all;
  if (behavior === 'Removed') return all.filter(({ isMatch }) => !isMatch);
  // MergedWithNext is MergedWithPrevious from the end.
  const fromEnd = behavior === 'MergedWithNext';
  const result: { start: number; end: number; isMatch: boolean }[] = [];
  let wasMatch = false;
  for (const { start, end, isMatch } of fromEnd ? [...all].reverse() : all) {
    const last = result.at(-1);
    const joins = behavior === 'Contiguous' ? isMatch === wasMatch : isMatch && !wasMatch;
    if (joins && last !== undefined) {
      if (fromEnd) last.start = start;
      else last.end = end;
    } else {
      result.push({ start, end, isMatch });
    }
    wasMatch = isMatch;
  }
  return fromEnd ? result.reverse() : result;
}
