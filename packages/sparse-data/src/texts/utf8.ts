// Strings to UTF-8 and back, for short texts: this package has no types of Node or of a browser. Bytes come from files
// that have been checked, so that decoding need not check them again.

/** Bytes that a string of so many UTF-16 code units takes at most. */
export const MAX_BYTES_PER_UNIT = 3;

/**
 * Writes a string as UTF-8. Half a surrogate pair becomes U+FFFD.
 * @param out with room for MAX_BYTES_PER_UNIT bytes for each code unit from `at` on.
 * @returns the place after the last byte.
 */
export function encodeUtf8(text: string, out: Uint8Array, at: number): number {
  for (let unit = 0; unit < text.length; unit++) {
    let code = text.charCodeAt(unit);
    if (code < 0x80) {
      out[at++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const next = code < 0xdc00 ? text.charCodeAt(unit + 1) : Number.NaN;
      const isPair = next >= 0xdc00 && next < 0xe000;
      code = isPair ? 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00) : 0xfffd;
      if (isPair) unit++;
    }
    if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
    } else if (code < 0x10000) {
      out[at++] = 0xe0 | (code >> 12);
      out[at++] = 0x80 | ((code >> 6) & 63);
    } else {
      out[at++] = 0xf0 | (code >> 18);
      out[at++] = 0x80 | ((code >> 12) & 63);
      out[at++] = 0x80 | ((code >> 6) & 63);
    }
    out[at++] = 0x80 | (code & 63);
  }
  return at;
}

/** Bytes that are given to String.fromCharCode at once. */
const ASCII_AT_ONCE = 64;

/** The string of well-formed UTF-8 in [start, end). */
export function decodeUtf8(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  if (end - start <= ASCII_AT_ONCE && isAscii(bytes, start, end))
    return String.fromCharCode.apply(undefined, bytes.subarray(start, end) as unknown as number[]);
  let text = '';
  for (let at = start; at < end;) {
    const lead = bytes[at++]!;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      continue;
    }
    const length = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let code = lead & (0x3f >> length);
    for (const stop = at + length; at < stop; at++) code = (code << 6) | (bytes[at]! & 63);
    text += String.fromCodePoint(code);
  }
  return text;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false;
  return true;
}
