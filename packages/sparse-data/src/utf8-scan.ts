// Finds the first byte that is not well-formed UTF-8 (Unicode 16, table 3-7). Decoders only say that there is one.

/**
 * The offset of the first byte of the first ill-formed sequence in [start, end), or −1. A sequence cut off by `end` is
 * ill-formed.
 */
export function findInvalidUtf8(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  let at = start;
  while (at < end) {
    const lead = bytes[at]!;
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length === 0 || at + length > end) return at;
    for (let place = 1; place < length; place++) {
      const byte = bytes[at + place]!;
      // The second byte excludes overlong forms (E0, F0), surrogates (ED) and what lies beyond U+10FFFF (F4).
      const lowest = place > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const highest = place > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (byte < lowest || byte > highest) return at;
    }
    at += length;
  }
  return -1;
}
