// The normalizer `Precompiled`: the character map of SentencePiece (normalizer.cc), as the Rust package
// spm_precompiled applies it. The map is base64 of: the size of a trie in bytes (32 bits), the trie, and the replacing
// texts, each ended by a zero byte. The trie is a double array (Darts, Aoe 1989) over the bytes of UTF-8, of 32 bits a
// unit, whose leaves are offsets in the texts.

import type { Fields } from './fields.ts';
import { checkRoom } from '../tokenizer-limits.ts';

/** Longer characters in the eyes of the reader are replaced one code point at a time. */
const MAXIMUM_GRAPHEME_BYTES = 5;

/** @throws SparseDataError `bad-tokenizer` for a map that is cut off. */
export function readCompiledMap(fields: Fields): (text: string) => string {
  const encoded = fields.string('precompiled_charsmap', '');
  if (encoded === '') return (text) => text;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  } catch {
    throw fields.error('has a precompiled_charsmap that is not base64');
  }
  const view = new DataView(bytes.buffer);
  const trieBytes = bytes.length < 4 ? Infinity : view.getUint32(0, true);
  if (trieBytes % 4 !== 0 || trieBytes + 4 > bytes.length)
    throw fields.error(
      `has a precompiled_charsmap of ${bytes.length} bytes, with a trie of ${trieBytes}; it is damaged or cut off`,
    );
  const unit = (position: number): number => (4 * position < trieBytes ? view.getUint32(4 + 4 * position, true) : 0);
  const texts = bytes.subarray(4 + trieBytes);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  /** The replacing text of the first prefix that is in the trie. */
  const replacement = (key: Uint8Array): string | undefined => {
    let position = offsetOf(unit(0));
    for (const byte of key) {
      if (byte === 0) return undefined;
      position ^= byte;
      const node = unit(position);
      if ((node & 0x800000ff) >>> 0 !== byte) return undefined;
      position ^= offsetOf(node);
      if (((node >>> 8) & 1) === 1) {
        const start = unit(position) & 0x7fffffff;
        const end = texts.indexOf(0, start);
        return start < texts.length
          ? decoder.decode(texts.subarray(start, end === -1 ? texts.length : end))
          : undefined;
      }
    }
    return undefined;
  };
  const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
  return (text) => {
    let normalized = '';
    for (const { segment } of graphemes.segment(text)) {
      const whole = encoder.encode(segment);
      const replaced = whole.length <= MAXIMUM_GRAPHEME_BYTES ? replacement(whole) : undefined;
      if (replaced !== undefined) normalized += replaced;
      else for (const character of segment) normalized += replacement(encoder.encode(character)) ?? character;
      checkRoom(normalized.length - text.length);
    }
    return normalized;
  };
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
