/**
 * N-grams as fastText numbers them (arXiv:1607.01759, arXiv:1607.04606, dictionary.cc of version 0.9.2), so that a text
 * has the same features there and here: a hash of each n-gram, modulo the number of buckets. The hash of bytes is
 * FNV-1a of 32 bits with one peculiarity that fastText keeps for old models: a byte above 127 counts as a negative
 * number, which changes the upper 24 bits too.
 */

const FNV_START = 2166136261 | 0;
const FNV_PRIME = 16777619;
/** Word n-grams: h·116049371 + the hash of the next word, in 64 bits. */
const WORD_FACTOR = 116049371;
const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;

/** The hash of bytes in [start, end), as a signed 32-bit number. O(bytes). */
export function hashOfBytes(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  let hash = FNV_START;
  for (let at = start; at < end; at++) hash = addToHash(hash, bytes[at]!);
  return hash;
}

/** The hash with one byte more. */
function addToHash(hash: number, byte: number): number {
  return Math.imul(hash ^ ((byte << 24) >> 24), FNV_PRIME);
}

/** The hash of no bytes. */
export const EMPTY_HASH: number = FNV_START;

/** Which n-grams of a text are features beside its words. */
export interface NgramSettings {
  /** Longest n-gram of words; 1 for none. */
  readonly wordNgrams: number;
  /** Shortest and longest n-gram of the characters of a word, with `<` before and `>` after it; `maxChars` 0 for none. */
  readonly minChars: number;
  readonly maxChars: number;
  /** Number of buckets that n-grams are hashed into; 0 without n-grams. */
  readonly buckets: number;
}

/**
 * Adds the buckets of a word's character n-grams to a list, in the order of fastText: by the first character, short ones
 * first. `<` or `>` alone is none. O(characters · maxChars).
 * @param bytes UTF-8 of the word in [start, end).
 */
export function addCharacterNgrams(
  bytes: Uint8Array,
  start: number,
  end: number,
  { minChars, maxChars, buckets }: NgramSettings,
  out: number[],
): void {
  const length = end - start + 2;
  const byteAt = (place: number): number =>
    place === 0 ? LESS_THAN : place === length - 1 ? GREATER_THAN : bytes[start + place - 1]!;
  for (let first = 0; first < length; first++) {
    if (isContinuation(byteAt(first))) continue;
    let hash = FNV_START;
    for (let place = first, n = 1; place < length && n <= maxChars; n++) {
      do hash = addToHash(hash, byteAt(place++));
      while (place < length && isContinuation(byteAt(place)));
      if (n >= minChars && !(n === 1 && (first === 0 || place === length))) out.push((hash >>> 0) % buckets);
    }
  }
}

/** A byte of UTF-8 after the first of a character. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/**
 * The buckets of the n-grams of 2 to `wordNgrams` words, in the order of fastText: by the first word, short ones first.
 * O(words · wordNgrams).
 * @param hashes of the words of a text, in order; the first `count` are read.
 * @param out receives the buckets, each plus `offset`, from place `at` on.
 * @returns the place after the last.
 */
export function writeWordNgrams(
  hashes: Int32Array,
  count: number,
  { wordNgrams, buckets }: NgramSettings,
  offset: number,
  out: Int32Array,
  at: number,
): number {
  for (let first = 0; first < count; first++) {
    let low = hashes[first]! >>> 0;
    // Hashes are signed: the upper half is all ones for a negative one.
    let high = hashes[first]! >> 31;
    for (let word = first + 1; word < count && word < first + wordNgrams; word++) {
      // (high, low)·factor in 64 bits, with products that a double holds exactly.
      const product = (low & 0xffff) * WORD_FACTOR;
      const upper = (low >>> 16) * WORD_FACTOR + Math.floor(product / 0x10000);
      high = (Math.imul(high, WORD_FACTOR) + Math.floor(upper / 0x10000)) | 0;
      const sum = ((((upper & 0xffff) << 16) | (product & 0xffff)) >>> 0) + (hashes[word]! >>> 0);
      low = sum >>> 0;
      high = (high + (hashes[word]! >> 31) + (sum > 0xffffffff ? 1 : 0)) | 0;
      out[at++] = offset + remainder64(high, low, buckets);
    }
  }
  return at;
}

/** How many n-grams `writeWordNgrams` writes. */
export function countWordNgrams(words: number, { wordNgrams }: NgramSettings): number {
  let count = 0;
  for (let n = 2; n <= wordNgrams && n <= words; n++) count += words - n + 1;
  return count;
}

/** An unsigned 64-bit number modulo a divisor of at most 31 bits, 16 bits at a time. */
function remainder64(high: number, low: number, divisor: number): number {
  const first = remainder(high >>> 0, divisor);
  const second = remainder(first * 0x10000 + (low >>> 16), divisor);
  return remainder(second * 0x10000 + (low & 0xffff), divisor);
}

/** `value % divisor` of whole numbers below 2^48; `%` of numbers beyond 32 bits is ten times as slow. */
function remainder(value: number, divisor: number): number {
  const rest = value - Math.floor(value / divisor) * divisor;
  return rest < 0 ? rest + divisor : rest >= divisor ? rest - divisor : rest;
}
