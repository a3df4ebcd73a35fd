// Counting tokens in bounded memory: lossy counting (Manku and Motwani, VLDB 2002), but pruning only when
// `maximumEntries` is reached instead of after every 1/epsilon tokens, so that a stream with fewer distinct tokens is
// counted exactly.
//
// Each stored token has a count since it was last added, and `missed`, the value of `floor` at that time: an upper
// bound of its earlier, uncounted occurrences. Invariant: count <= true count <= count + missed, and a token that is
// not stored occurred at most `floor` times. When `maximumEntries` tokens are stored, floor is set to the median of
// count + missed, and all tokens up to this value, at least half, are removed.
//
// Error bound: floor <= 2 N / maximumEntries after N tokens. Proof: at each increase of floor at least maximumEntries /
// 2 tokens have count + missed >= the new floor. So each of them has been counted at least as often as the sum of all
// increases since it was added, and all counts together are at most N.

import { checkInteger, show, SparseDataError } from '../errors.ts';
import { Vocabulary } from './vocabulary.ts';

/** How many tokens are counted at most; the rarest are dropped beyond that. */
export interface VocabularyCounterOptions {
  /**
   * Largest number of distinct tokens stored at once, at least 2; default 2^22, which is about 0.5 GB for short tokens.
   */
  readonly maximumEntries?: number;
}

/** Which of the counted tokens become words of the vocabulary. */
export interface BuildVocabularyOptions {
  /** Tokens with a smaller count are left out; default 1. Special tokens are always kept. */
  readonly minimumCount?: number;
  /**
   * Largest number of tokens in the vocabulary, including special tokens; default no limit. The most frequent are kept.
   */
  readonly maximumSize?: number;
  /**
   * Tokens that must be in the vocabulary, such as <eos>. They have their counts in the data, and are sorted by
   * frequency like other tokens.
   */
  readonly specialTokens?: readonly string[];
  /** A special token that replaces all tokens that are left out; their counts are added to its own. */
  readonly unknownToken?: string;
}

/** Counts a stream of tokens and builds a Vocabulary of it. Cost: O(1) expected per token, amortised over prunings. */
export class VocabularyCounter {
  readonly maximumEntries: number;
  readonly #slots = new Map<string, number>();
  #counts: Float64Array = new Float64Array(1024);
  #missed: Float64Array = new Float64Array(1024);
  #total = 0;
  #floor = 0;

  constructor(options: VocabularyCounterOptions = {}) {
    const { maximumEntries = 2 ** 22 } = options;
    checkInteger('VocabularyCounter', 'maximumEntries', maximumEntries, 2, 2 ** 24 - 1);
    this.maximumEntries = maximumEntries;
  }

  /** Number of tokens counted so far, with repetitions. Always exact. */
  get total(): number {
    return this.#total;
  }

  /** Number of distinct tokens stored now. */
  get entries(): number {
    return this.#slots.size;
  }

  /** Whether all counts are exact: no token was ever pruned. */
  get isExact(): boolean {
    return this.#floor === 0;
  }

  /** Upper bound of the error of any count; 0 if exact, never above 2 · total / maximumEntries. */
  get errorBound(): number {
    return this.#floor;
  }

  /**
   * The stored count of a token (0 if it is not stored): at most the true count, and at least the true count −
   * errorBound.
   */
  countOf(token: string): number {
    const slot = this.#slots.get(token);
    return slot === undefined ? 0 : this.#counts[slot]!;
  }

  add(token: string): void {
    this.#total++;
    const slot = this.#slots.get(token);
    if (slot !== undefined) {
      this.#counts[slot] = this.#counts[slot]! + 1;
      return;
    }
    if (this.#slots.size === this.maximumEntries) this.#prune();
    const next = this.#slots.size;
    if (next === this.#counts.length) this.#grow();
    this.#slots.set(detached(token), next);
    this.#counts[next] = 1;
    this.#missed[next] = this.#floor;
  }

  addAll(tokens: Iterable<string>): void {
    for (const token of tokens) this.add(token);
  }

  /**
   * The vocabulary of the counted tokens, sorted by descending count, and equal counts by UTF-16 code units, so that it
   * depends only on the counts. With an unknown token the sum of the counts is `total`. After pruning, counts are lower
   * bounds: all tokens with at least minimumCount + errorBound occurrences are included (unless maximumSize is
   * reached), and none with fewer than minimumCount. Cost: O(entries log entries). The counter can be used further.
   * @throws SparseDataError `bad-vocabulary` for fewer than two tokens, `bad-option` for options that cannot be met.
   */
  build(options: BuildVocabularyOptions = {}): Vocabulary {
    const { minimumCount = 1, maximumSize = 2 ** 31 - 1, specialTokens = [], unknownToken } = options;
    checkInteger('VocabularyCounter.build', 'minimumCount', minimumCount, 1, Number.MAX_SAFE_INTEGER);
    checkInteger('VocabularyCounter.build', 'maximumSize', maximumSize, 2, 2 ** 31 - 1);
    const special = new Set(specialTokens);
    if (unknownToken !== undefined) special.add(unknownToken);
    if (special.size > maximumSize) {
      throw new SparseDataError(
        'bad-option',
        `VocabularyCounter.build: ${special.size} special tokens do not fit a maximumSize of ${maximumSize}; raise it to at least ${special.size + 1}`,
      );
    }
    const held = this.#countedTokens();
    const ordinary = held
      .filter(({ token, count }) => count >= minimumCount && !special.has(token))
      .sort(byFallingCount);
    ordinary.length = Math.min(ordinary.length, maximumSize - special.size);
    const kept = [...ordinary, ...[...special].map((token) => ({ token, count: this.countOf(token) }))];
    if (kept.length < 2) {
      throw new SparseDataError(
        'bad-vocabulary',
        `VocabularyCounter.build: ${kept.length === 0 ? 'no token is' : `only ${show(kept[0]?.token)} is`} left of ${this.entries} distinct tokens ` +
          `(${this.total} in all) with minimumCount ${minimumCount}; at least 2 are needed: give more text or a lower minimumCount`,
      );
    }
    if (unknownToken !== undefined) {
      const unknown = kept.find(({ token }) => token === unknownToken);
      if (unknown !== undefined) unknown.count += this.#total - kept.reduce((sum, { count }) => sum + count, 0);
    }
    kept.sort(byFallingCount);
    return new Vocabulary({
      tokens: kept.map(({ token }) => token),
      counts: kept.map(({ count }) => count),
      unknownToken,
    });
  }

  #countedTokens(): CountedToken[] {
    const counted: CountedToken[] = [];
    for (const [token, slot] of this.#slots) counted.push({ token, count: this.#counts[slot]! });
    return counted;
  }

  #grow(): void {
    const capacity = Math.min(2 * this.#counts.length, Math.max(this.maximumEntries, 1024));
    const counts = new Float64Array(capacity);
    const missed = new Float64Array(capacity);
    counts.set(this.#counts);
    missed.set(this.#missed);
    this.#counts = counts;
    this.#missed = missed;
  }

  #prune(): void {
    const size = this.#slots.size;
    const counts = this.#counts;
    const missed = this.#missed;
    const maxPossible = new Float64Array(size);
    for (let slot = 0; slot < size; slot++) maxPossible[slot] = counts[slot]! + missed[slot]!;
    this.#floor = maxPossible.sort()[(size - 1) >> 1]!;
    // Slots number the map's entries in order of insertion, so the remaining entries can be moved down in one pass.
    let next = 0;
    for (const [token, slot] of this.#slots) {
      if (counts[slot]! + missed[slot]! <= this.#floor) {
        this.#slots.delete(token);
        continue;
      }
      counts[next] = counts[slot]!;
      missed[next] = missed[slot]!;
      this.#slots.set(token, next);
      next++;
    }
  }
}

interface CountedToken {
  readonly token: string;
  count: number;
}

function byFallingCount(a: CountedToken, b: CountedToken): number {
  return b.count - a.count || (a.token < b.token ? -1 : a.token > b.token ? 1 : 0);
}

/**
 * A copy of a token that shares no memory with the text that contains it. V8 represents a substring of 13 or more
 * characters as a view of its parent; such a key would keep a whole block of the file in memory.
 */
function detached(token: string): string {
  return token.length < 13 ? token : ` ${token}`.slice(1);
}
