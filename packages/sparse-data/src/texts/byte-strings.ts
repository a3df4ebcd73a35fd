/**
 * Distinct strings of bytes, numbered in order of first appearance, with how often each was added. All bytes are in one
 * array, and the table holds numbers only, so that a million words are not a million objects. Open addressing, at most
 * half full.
 */
import { enlarged } from '../csr/enlarged.ts';
import { SparseDataError } from '../errors.ts';
import { hashOfBytes } from './ngram-hashes.ts';
import { MAX_BYTES_PER_UNIT, decodeUtf8, encodeUtf8 } from './utf8.ts';

const MAX_BYTES = 2 ** 31 - 1;

/** Numbers that an entry has: where its bytes start, how many they are, their hash, how often it was added. */
const START = 0;
const LENGTH = 1;
const HASH = 2;
const COUNT = 3;
const WIDTH = 4;

/**
 * Distinct strings of bytes, numbered in order of first appearance, with how often each was added.
 */
export class ByteStrings {
  #size = 0;
  #bytes = new Uint8Array(4096);
  #end = 0;
  /** Side by side, so that a string that is found takes one line of the cache beside its bytes. */
  #entries = new Int32Array(512 * WIDTH);
  /** The number of a string plus 1, or 0. */
  #slots = new Int32Array(1024);

  get size(): number {
    return this.#size;
  }

  /** The bytes of all strings: string i is in [startOf(i), endOf(i)). Valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  startOf(index: number): number {
    return this.#entries[index * WIDTH + START]!;
  }

  endOf(index: number): number {
    return this.startOf(index) + this.#entries[index * WIDTH + LENGTH]!;
  }

  /** The hash of a string, as of hashOfBytes. */
  hashOf(index: number): number {
    return this.#entries[index * WIDTH + HASH]!;
  }

  /** How often a string was added. */
  countOf(index: number): number {
    return this.#entries[index * WIDTH + COUNT]!;
  }

  /** The number of a string; −1 if it was not added. O(strings). */
  find(text: string): number {
    const bytes = new Uint8Array(MAX_BYTES_PER_UNIT * text.length);
    const hash = hashOfBytes(bytes, 0, encodeUtf8(text, bytes, 0));
    for (let index = 0; index < this.#size; index++)
      if (this.hashOf(index) === hash && this.textOf(index) === text) return index;
    return -1;
  }

  /** A string as text. O(bytes). */
  textOf(index: number): string {
    return decodeUtf8(this.#bytes, this.startOf(index), this.endOf(index));
  }

  /**
   * Adds one occurrence of the bytes in [start, end); returns their number. O(bytes) expected.
   * @param hash of the bytes; it need not be computed twice where they are scanned anyway.
   * @throws SparseDataError `record-too-long` when all strings together have 2^31 bytes.
   */
  add(bytes: Uint8Array, start: number, end: number, hash: number = hashOfBytes(bytes, start, end)): number {
    const slots = this.#slots;
    const entries = this.#entries;
    const own = this.#bytes;
    const mask = slots.length - 1;
    const length = end - start;
    let place = spread(hash) & mask;
    search: for (; ; place = (place + 1) & mask) {
      const index = slots[place]! - 1;
      if (index === -1) break;
      const entry = index * WIDTH;
      if (entries[entry + HASH] !== hash || entries[entry + LENGTH] !== length) continue;
      const ownStart = entries[entry + START]!;
      for (let at = 0; at < length; at++) if (own[ownStart + at] !== bytes[start + at]) continue search;
      entries[entry + COUNT]!++;
      return index;
    }
    slots[place] = this.#size + 1;
    return this.#append(bytes.subarray(start, end), hash);
  }

  #append(bytes: Uint8Array, hash: number): number {
    const stop = this.#end + bytes.length;
    if (stop > MAX_BYTES) {
      throw new SparseDataError(
        'record-too-long',
        `the different words of the text have more than ${MAX_BYTES} bytes, which is the limit; is it a text?`,
      );
    }
    if (stop > this.#bytes.length) this.#bytes = enlarged(this.#bytes, new Uint8Array(Math.min(MAX_BYTES, 2 * stop)));
    this.#bytes.set(bytes, this.#end);
    const index = this.#size++;
    const entry = index * WIDTH;
    if (entry === this.#entries.length) this.#entries = enlarged(this.#entries, new Int32Array(2 * entry));
    this.#entries[entry + START] = this.#end;
    this.#entries[entry + LENGTH] = bytes.length;
    this.#entries[entry + HASH] = hash;
    this.#entries[entry + COUNT] = 1;
    this.#end = stop;
    if (2 * this.#size > this.#slots.length) this.#enlargeTable();
    return index;
  }

  #enlargeTable(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let place = spread(this.hashOf(index)) & mask;
      while (slots[place] !== 0) place = (place + 1) & mask;
      slots[place] = index + 1;
    }
    this.#slots = slots;
  }
}

/** The low bits of FNV-1a depend on the low bits of the bytes only. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
