// Counting tokens in bounded memory: lossy counting (Manku and Motwani, VLDB 2002), with pruning when memory is full
// rather than after every 1/epsilon tokens, so that a stream that fits is counted exactly.
//
// Each token held has a count since it was last entered, and `missed`, the floor at that time: the most occurrences
// that can have gone by unseen. Invariant: count <= true count <= count + missed, and a token not held occurred at most
// `floor` times. When `maximumEntries` are held, the floor rises to the median of count + missed and all tokens up to
// it are dropped, at least half.
//
// Error bound: floor <= 2 N / maximumEntries after N tokens. For at each rise the (at least maximumEntries / 2) tokens
// at or above the new floor have each been seen as often as all the rises since they were entered add up to, and they
// were seen N times in all.

import { checkInteger, show } from '../errors.ts';
import { SparseDataError } from '../errors.ts';
import { Vocabulary } from './vocabulary.ts';

export interface VocabularyCounterOptions {
  /** Most distinct tokens held at once, at least 2; default 2^22, about 0.5 GB of short tokens. */
  readonly maximumEntries?: number;
}

export interface BuildVocabularyOptions {
  /** Rarer tokens are left out; default 1. Special tokens stay whatever their count. */
  readonly minimumCount?: number;
  /** Most tokens in the vocabulary, special ones included; default no limit. The most frequent stay. */
  readonly maximumSize?: number;
  /**
   * Tokens that must be in the vocabulary, such as <eos>. They keep their counts in the data and their place by
   * frequency.
   */
  readonly specialTokens?: readonly string[];
  /** A special token that stands for all that are left out, and to whose own count all of theirs is added. */
  readonly unknownToken?: string;
}

/** Counts a stream of tokens and builds a Vocabulary of it. Cost: O(1) expected a token, amortised over prunings. */
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

  /** Tokens seen so far, with repetitions. Exact always. */
  get total(): number {
    return this.#total;
  }

  /** Distinct tokens held now. */
  get entries(): number {
    return this.#slots.size;
  }

  /** Whether every token seen is held with its true count: nothing was ever pruned. */
  get isExact(): boolean {
    return this.#floor === 0;
  }

  /** The most by which any count can be too small; 0 when exact, never above 2 · total / maximumEntries. */
  get errorBound(): number {
    return this.#floor;
  }

  /** The count held for a token (0 if it is not): at most errorBound below the true one, never above it. */
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
   * The vocabulary of what has been counted: sorted by falling count, equal counts by UTF-16 code units, so that it
   * depends only on the counts. With an unknown token the counts add up to `total`. After pruning, counts are lower
   * bounds: all tokens of at least minimumCount + errorBound occurrences are in (maximumSize apart), none of fewer than
   * minimumCount. Cost: O(entries log entries). The counter can go on counting.
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
    // Slots number the map's entries in order of insertion, so the survivors can move down in one pass.
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
 * A copy of a token that shares no memory with the text it was cut from. V8 represents a substring of 13 and more
 * characters as a view of its parent: held as a key, it would keep a whole block of the file alive.
 */
function detached(token: string): string {
  return token.length < 13 ? token : ` ${token}`.slice(1);
}
