/** Lines of UTF-8 text that has not been decoded: where they end, and the byte order mark before them. */

export const LINE_FEED = 0x0a;

/** The place of the line feed that ends the line at `start`, or of the end of the block. */
export function endOfLine(block: Uint8Array, start: number): number {
  const next = block.indexOf(LINE_FEED, start);
  return next === -1 ? block.length : next;
}

/** Bytes of the byte order mark in [start, end): 3, or 0 where there is none. */
export function byteOrderMarkLength(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  const isThere = end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  return isThere ? 3 : 0;
}
