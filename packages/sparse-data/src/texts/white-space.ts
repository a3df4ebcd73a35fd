// Unicode's White_Space in UTF-8, so that bytes are split into the words of whitespaceTokens without being decoded.

/** A byte of a word. */
export const WORD = 0;
const SPACE = 1;
export const LINE_END = 2;
/** A byte that begins white space of two or three bytes, or a character of a word. */
export const LEAD = 3;

/** The kind of each byte. */
export const BYTE_KINDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x0a) return LINE_END;
  if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return SPACE;
  return byte === 0xc2 || (byte >= 0xe1 && byte <= 0xe3) ? LEAD : WORD;
});

/** Bytes of the white space that begins at a byte of the kind LEAD; 0 if it is none. */
export function whiteSpaceLength(bytes: Uint8Array, at: number): number {
  const second = bytes[at + 1]!;
  if (bytes[at] === 0xc2) return second === 0x85 || second === 0xa0 ? 2 : 0;
  return isSpaceOfThree((bytes[at]! << 16) | (second << 8) | bytes[at + 2]!) ? 3 : 0;
}

/** U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000. */
function isSpaceOfThree(bytes: number): boolean {
  return (
    bytes === 0xe19a80 ||
    (bytes >= 0xe28080 && bytes <= 0xe2808a) ||
    bytes === 0xe280a8 ||
    bytes === 0xe280a9 ||
    bytes === 0xe280af ||
    bytes === 0xe2819f ||
    bytes === 0xe38080
  );
}
