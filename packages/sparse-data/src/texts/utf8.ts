// Strings to UTF-8 and back. Every engine has a TextDecoder, but this package has the types of no platform.

declare const TextDecoder: new (
  label: string,
  options: { readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

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
  const part = bytes.subarray(start, end);
  // For a word of a few letters a decoder takes several times as long.
  return part.length <= ASCII_AT_ONCE && isAscii(part)
    ? String.fromCharCode.apply(undefined, part as unknown as number[])
    : decoder.decode(part);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! > 0x7f) return false;
  return true;
}
