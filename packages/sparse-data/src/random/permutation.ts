// A shuffle that is computed, not stored: a Feistel network is a bijection of {0, …, 2^bits − 1} whatever its round
// function, and following it until the value falls below n ("cycle walking") makes it a bijection of {0, …, n − 1}:
// Black and Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA 2002. So an epoch over 10^12 examples shuffles in a
// few words of memory, and a position within it can be resumed without replaying the ones before.
//
// The domain is the next power of two, so a value takes fewer than two passes on average. It is at least 2^8 points:
// over three bits the 720 orders of six elements come unevenly (chi-square 33 standard deviations off), over eight
// evenly. Halves of different width are xored alternately, each with a hash of the other, which needs no swap.
// Statistically good, not a cipher.

import { checkInteger } from '../errors.ts';
import { mix32, seedWord } from './random.ts';

const ROUND_PAIRS = 4;
const MAXIMUM_SIZE = 2 ** 40;
const MINIMUM_BITS = 8;

/** A pseudo-random permutation of {0, …, size − 1}. Memory O(1); `at` costs O(1) expected and allocates nothing. */
export class IndexPermutation {
  readonly size: number;
  readonly #highMask: number;
  readonly #lowMask: number;
  readonly #lowSize: number;
  readonly #keys = new Int32Array(2 * ROUND_PAIRS);

  /**
   * @param size number of elements, at most 2^40.
   * @param seed and epoch integers in [0, 2^53): each pair gives another order.
   */
  constructor(size: number, seed: number, epoch = 0) {
    checkInteger('IndexPermutation', 'size', size, 1, MAXIMUM_SIZE);
    this.size = size;
    let bits = MINIMUM_BITS;
    while (2 ** bits < size) bits++;
    const lowBits = bits >> 1;
    this.#lowSize = 2 ** lowBits;
    this.#lowMask = 2 ** lowBits - 1;
    this.#highMask = 2 ** (bits - lowBits) - 1;
    this.rekey(seed, epoch);
  }

  /** Turns this into the permutation of another seed or epoch, in place. */
  rekey(seed: number, epoch: number): void {
    checkInteger('IndexPermutation', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    checkInteger('IndexPermutation', 'epoch', epoch, 0, Number.MAX_SAFE_INTEGER);
    const keys = this.#keys;
    // Words of the epoch come from beyond those of the seed, so that equal seed and epoch do not cancel.
    for (let round = 0; round < keys.length; round++)
      keys[round] = seedWord(seed, round) ^ seedWord(epoch, round + keys.length);
  }

  /** The element at a position, both in [0, size). */
  at(position: number): number {
    if (!(position >= 0 && position < this.size && Number.isInteger(position)))
      checkInteger('IndexPermutation.at', 'position', position, 0, this.size - 1);
    const keys = this.#keys;
    const lowSize = this.#lowSize;
    const lowMask = this.#lowMask;
    const highMask = this.#highMask;
    let value = position;
    do {
      let high = Math.floor(value / lowSize);
      let low = value - high * lowSize;
      for (let round = 0; round < 2 * ROUND_PAIRS; round += 2) {
        high ^= mix32(low ^ keys[round]!) & highMask;
        low ^= mix32(high ^ keys[round + 1]!) & lowMask;
      }
      value = high * lowSize + low;
    } while (value >= this.size);
    return value;
  }
}
