// A growing list of non-negative 31-bit integers in 7-bit groups, low first (LEB128), in blocks that never move. Class
// ids are sorted by frequency, so most take one or two bytes: a stream of unknown length is collected in about 1.6
// bytes a token and unpacked once into its final Int32Array. Doubling an Int32Array would need 8 to 12 bytes a token at
// its peak.

const BLOCK_BYTES = 2 ** 18;
const LONGEST = 5;

export class BytePackedIntegers {
  readonly #blocks: Uint8Array[] = [];
  #block: Uint8Array = new Uint8Array(BLOCK_BYTES);
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param value an integer in [0, 2^31), unchecked. */
  push(value: number): void {
    if (this.#used > BLOCK_BYTES - LONGEST) {
      this.#blocks.push(this.#block.subarray(0, this.#used));
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const block = this.#block;
    let rest = value;
    while (rest > 127) {
      block[this.#used++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    block[this.#used++] = rest;
    this.#length++;
  }

  toInt32Array(): Int32Array {
    const result = new Int32Array(this.#length);
    let at = 0;
    for (const block of [...this.#blocks, this.#block.subarray(0, this.#used)]) {
      let value = 0;
      let shift = 0;
      for (let position = 0; position < block.length; position++) {
        const byte = block[position]!;
        value |= (byte & 127) << shift;
        shift += 7;
        if (byte < 128) {
          result[at++] = value;
          value = 0;
          shift = 0;
        }
      }
    }
    return result;
  }
}
