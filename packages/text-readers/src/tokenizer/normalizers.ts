// The normalizers of tokenizer.json, as the reference implementation (Rust, github.com/huggingface/tokenizers) has
// them. Those of @huggingface/tokenizers differ from it: they take JavaScript's white space, fold case by context, read
// `$` in a replacement, miss Chinese characters above U+FFFF, and put NFKC in place of a compiled map.

import { bytesToLetters } from './byte-letters.ts';
import type { Fields } from './fields.ts';
import { readPattern, SPACE } from './patterns.ts';
import { readCompiledMap } from './precompiled-map.ts';
import { counted, replaceAllWithin } from '../tokenizer-limits.ts';

export type Normalize = (text: string) => string;

const normalForms = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const;
const types = [
  ...normalForms,
  'Sequence',
  'BertNormalizer',
  'Lowercase',
  'Strip',
  'StripAccents',
  'Replace',
  'Prepend',
  'Nmt',
  'Precompiled',
  'ByteLevel',
] as const;

/** @throws SparseDataError `bad-tokenizer` for a normalizer that is not known here, or an invalid one. */
export function readNormalizer(fields: Fields): Normalize {
  const normalize = readKind(fields);
  fields.end();
  return counted(normalize, (text) => text.length);
}

function readKind(fields: Fields): Normalize {
  const type = fields.oneOf('type', types);
  switch (type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(type);
    case 'Sequence': {
      const all = fields.objects('normalizers').map(readNormalizer);
      return (text) => all.reduce((normalized, normalize) => normalize(normalized), text);
    }
    case 'BertNormalizer':
      return readBertNormalizer(fields);
    case 'Lowercase':
      return toLowerCase;
    case 'Strip': {
      const [left, right] = [fields.boolean('strip_left'), fields.boolean('strip_right')];
      // Not by an expression: one for the end looks at each run of white space from each of its places.
      return (text) => {
        let [start, end] = [0, text.length];
        if (left) while (start < end && IS_SPACE.test(text[start]!)) start++;
        if (right) while (end > start && IS_SPACE.test(text[end - 1]!)) end--;
        return text.slice(start, end);
      };
    }
    case 'StripAccents':
      return (text) => text.replaceAll(/\p{M}/gu, '');
    case 'Replace': {
      const pattern = readPattern(fields, 'pattern');
      const content = fields.string('content');
      return (text) => replaceAllWithin(text, pattern, content);
    }
    case 'Prepend': {
      const prefix = fields.string('prepend');
      return (text) => (text === '' ? '' : prefix + text);
    }
    case 'Nmt':
      return (text) =>
        text.replaceAll(CONTROL, '').replaceAll(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ');
    case 'Precompiled':
      return readCompiledMap(fields);
    case 'ByteLevel':
      return bytesToLetters;
  }
}

/** All white space has one code unit. */
const IS_SPACE = new RegExp(SPACE, 'u');
/** Control characters that `Nmt` drops. */
const CONTROL = new RegExp(String.raw`[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]`, 'g');

/** One character at a time: whether a sigma ends its word makes no difference. */
function toLowerCase(text: string): string {
  let lower = '';
  for (const character of text) lower += character.toLowerCase();
  return lower;
}

function readBertNormalizer(fields: Fields): Normalize {
  const clean = fields.boolean('clean_text', true);
  const chinese = fields.boolean('handle_chinese_chars', true);
  const lower = fields.boolean('lowercase', true);
  const strip = fields.optional('strip_accents', (name) => fields.boolean(name)) ?? lower;
  return (text) => {
    let normalized = text;
    if (clean) normalized = normalized.replaceAll(NOT_TEXT, '').replaceAll(WHITE_SPACE, ' ');
    if (chinese) normalized = normalized.replaceAll(CHINESE, ' $& ');
    if (strip) normalized = normalized.normalize('NFD').replaceAll(/\p{Mn}/gu, '');
    return lower ? toLowerCase(normalized) : normalized;
  };
}

const WHITE_SPACE = new RegExp(SPACE, 'gu');
/** Control, format, surrogate and private characters, and U+FFFD. */
const NOT_TEXT = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\ufffd]/gu;
/** The ideographs that BERT takes as words. */
const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
