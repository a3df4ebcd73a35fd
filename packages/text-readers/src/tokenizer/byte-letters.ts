// The letters that stand for the 256 bytes in byte-level tokenizers (Radford et al. 2019, GPT-2): printable ones for
// themselves, the others from U+0100 on.

const letters: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();
const bytes: ReadonlyMap<string, number> = new Map(letters.map((letter, byte) => [letter, byte]));
const encoder = new TextEncoder();

/** The bytes of a text in UTF-8, each as its letter. */
export function bytesToLetters(text: string): string {
  let result = '';
  for (const byte of encoder.encode(text)) result += letters[byte]!;
  return result;
}

/** The bytes that the letters stand for; those of the text itself in UTF-8 if one of its letters stands for none. */
export function lettersToBytes(text: string): Iterable<number> {
  const result: number[] = [];
  for (const letter of text) {
    const byte = bytes.get(letter);
    if (byte === undefined) return encoder.encode(text);
    result.push(byte);
  }
  return result;
}
