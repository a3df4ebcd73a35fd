// Seeded random numbers, hashes of integers, and computed permutations.
//
// The generator is xoshiro128** 1.1 (David Blackman and Sebastiano Vigna, arXiv:1805.01407): 128 bits of state, period
// 2^128 - 1, four shifts and xors per word, and only 32-bit arithmetic, which is fast in JavaScript. Math.random cannot
// be seeded or saved. Normal numbers are computed with Marsaglia's polar method (Marsaglia and Bray, SIAM Review 1964),
// which gives two at a time; the second one is part of the state. Words, uniforms and integers are the same on every
// engine; normals use Math.log, which engines may round differently in the last place.

import { SparseDataError, checkInteger, show } from '../errors.ts';

/** The state of a generator for a checkpoint: plain JSON. */
export interface RandomState {
  /** Four integers in [0, 2^32), not all 0. */
  readonly words: readonly [number, number, number, number];
  /** The second normal number of a pair, if it has not been returned yet. */
  readonly spareNormal: number | null;
}

/** A seeded generator; not for cryptography. Cost: a few nanoseconds per number; only state() allocates. */
export class RandomGenerator {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #spareNormal: number | null = null;

  /** @param seed an integer in [0, 2^53). */
  constructor(seed: number) {
    checkInteger('RandomGenerator', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    this.#a = seedWord(seed, 0);
    this.#b = seedWord(seed, 1);
    this.#c = seedWord(seed, 2);
    this.#d = seedWord(seed, 3);
  }

  /** 32 random bits as an integer in [0, 2^32). */
  word(): number {
    const b = this.#b;
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.word() >>> 5;
    return (high * 2 ** 26 + (this.word() >>> 6)) * 2 ** -53;
  }

  /** Standard normal. */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== null) {
      this.#spareNormal = null;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * factor;
      return x * factor;
    }
  }

  /**
   * The next numbers of `normal`, each times `scale`, into all of `out`: the same numbers in two thirds of the time,
   * because the state stays in local variables.
   */
  normals(out: Float64Array, scale = 1): void {
    const { length } = out;
    let i = 0;
    if (length > 0 && this.#spareNormal !== null) {
      out[i++] = scale * this.#spareNormal;
      this.#spareNormal = null;
    }
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    const parts = new Float64Array(4);
    while (i < length) {
      for (let part = 0; part < 4; part++) {
        const times5 = Math.imul(b, 5);
        parts[part] = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> (part % 2 === 0 ? 5 : 6);
        const shifted = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= shifted;
        d = (d << 11) | (d >>> 21);
      }
      const x = 2 * ((parts[0]! * 2 ** 26 + parts[1]!) * 2 ** -53) - 1;
      const y = 2 * ((parts[2]! * 2 ** 26 + parts[3]!) * 2 ** -53) - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      out[i++] = scale * (x * factor);
      if (i < length) out[i++] = scale * (y * factor);
      else this.#spareNormal = y * factor;
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
  }

  /** Uniform in {0, …, n − 1} without bias, for n in [1, 2^53): a draw that would favour small values is repeated. */
  integer(n: number): number {
    checkInteger('RandomGenerator.integer', 'n', n, 1, Number.MAX_SAFE_INTEGER);
    const wide = n > 2 ** 32;
    const range = wide ? 2 ** 53 : 2 ** 32;
    const limit = range - (range % n);
    for (;;) {
      const draw = wide ? this.uniform() * 2 ** 53 : this.word();
      if (draw < limit) return draw % n;
    }
  }

  /** The state as plain JSON. After restore() exactly the same numbers follow. */
  state(): RandomState {
    return { words: [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0], spareNormal: this.#spareNormal };
  }

  /**
   * @throws SparseDataError `bad-random-state` for anything that state() cannot have returned; the generator then does
   * not change.
   */
  restore(state: unknown): void {
    const { words, spareNormal } = (typeof state === 'object' && state !== null ? state : {}) as Partial<
      Record<keyof RandomState, unknown>
    >;
    const isWord = (word: unknown): word is number =>
      Number.isInteger(word) && (word as number) >= 0 && (word as number) < 2 ** 32;
    if (!Array.isArray(words) || words.length !== 4 || !words.every(isWord) || words.every((word) => word === 0)) {
      throw new SparseDataError(
        'bad-random-state',
        `RandomGenerator.restore: words is ${Array.isArray(words) ? `[${words.map(show).join(', ')}]` : show(words)}; four integers in 0..4294967295, not all 0, are needed`,
      );
    }
    if (spareNormal !== null && (typeof spareNormal !== 'number' || !Number.isFinite(spareNormal))) {
      throw new SparseDataError(
        'bad-random-state',
        `RandomGenerator.restore: spareNormal is ${show(spareNormal)}; a finite number or null is needed`,
      );
    }
    const [a, b, c, d] = words as [number, number, number, number];
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
    this.#spareNormal = spareNormal;
  }
}

// A 32-bit mixing step: the finaliser of MurmurHash3 (Austin Appleby, public domain). It is a bijection of the 32-bit
// integers that maps only 0 to 0. Seeds are expanded with it as in SplitMix (Steele, Lea, Flood, OOPSLA 2014).

const GOLDEN_GAMMA = 0x9e3779b9;

export function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) | 0;
}

/** The index-th 32-bit word of a seed in [0, 2^53). At most one of the words of a seed is 0. */
export function seedWord(seed: number, index: number): number {
  const high = Math.floor(seed / 2 ** 32);
  return mix32(mix32((seed | 0) + Math.imul(index + 1, GOLDEN_GAMMA)) + high);
}

// A shuffle that is computed, not stored. A Feistel network is a bijection of {0, …, 2^bits − 1} for any round
// function. Applying it until the value is below n ("cycle walking") gives a bijection of {0, …, n − 1} (Black and
// Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA 2002). So an epoch of 10^12 examples is shuffled with a few
// words of memory, and it can be resumed at any position without replaying earlier ones.
//
// The domain is the next power of two, so a value needs fewer than two passes on average. The domain has at least 2^8
// points: with three bits the 720 orders of six elements are not equally frequent (chi-square 33 standard deviations
// off); with eight bits they are. The two halves may differ in width; alternately each is xored with a hash of the
// other, which needs no swap. The quality is statistical, not cryptographic.

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

  /** Changes this to the permutation of another seed or epoch, in place. */
  rekey(seed: number, epoch: number): void {
    checkInteger('IndexPermutation', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    checkInteger('IndexPermutation', 'epoch', epoch, 0, Number.MAX_SAFE_INTEGER);
    const keys = this.#keys;
    // The epoch uses other word indices than the seed, so that an equal seed and epoch do not cancel.
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
