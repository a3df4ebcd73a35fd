/**
 * Compares arrays of two ranks bit for bit: two 32-bit hashes of the FNV kind with different multipliers, over the
 * 32-bit words of the arrays. One pass, and one number to exchange.
 */
export class ArrayChecksum {
  #first = 0x811c9dc5 | 0;
  #second = 0x2545f491 | 0;

  /** @param values an array after those that were added before; the order matters. */
  add(values: Float32Array | Float64Array | Int32Array | Uint8Array): void {
    const words =
      values instanceof Uint8Array ? values : new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
    for (let i = 0; i < words.length; i++) {
      this.#first = Math.imul(this.#first ^ words[i]!, 0x01000193);
      this.#second = Math.imul((this.#second << 5) ^ (this.#second >>> 27) ^ words[i]!, 0x85ebca6b);
    }
  }

  /** A whole number of 53 bits, never 0. */
  get value(): number {
    return 1 + (this.#first >>> 12) * 2 ** 32 + (this.#second >>> 0);
  }
}
