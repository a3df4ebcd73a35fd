import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomGenerator } from '../../src/random/random.ts';
import { VocabularyCounter } from '../../src/text/vocabulary-counter.ts';
import type { Vocabulary } from '../../src/text/vocabulary.ts';
import { thrownBy } from '../thrown-by.ts';

function counterOf(text: string, maximumEntries = 1000): VocabularyCounter {
  const counter = new VocabularyCounter({ maximumEntries });
  counter.addAll(text.split(' '));
  return counter;
}

function listed(vocabulary: Vocabulary): [string, number][] {
  return vocabulary.tokens.map((token, id) => [token, vocabulary.counts[id] ?? -1]);
}

function trueCounts(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

describe('VocabularyCounter.build', () => {
  const counter = counterOf('a b a c __proto__ a b <eos> <eos> d constructor __proto__ e');

  it('sorts by falling count, then by code units', () => {
    expect(listed(counter.build())).toEqual([
      ['a', 3],
      ['<eos>', 2],
      ['__proto__', 2],
      ['b', 2],
      ['c', 1],
      ['constructor', 1],
      ['d', 1],
      ['e', 1],
    ]);
  });

  it('adds what it leaves out to the unknown token', () => {
    expect(listed(counter.build({ minimumCount: 2, unknownToken: '<unk>' }))).toEqual([
      ['<unk>', 4],
      ['a', 3],
      ['<eos>', 2],
      ['__proto__', 2],
      ['b', 2],
    ]);
    expect(listed(counterOf('<unk> a <unk> b c c').build({ minimumCount: 2, unknownToken: '<unk>' }))).toEqual([
      ['<unk>', 4],
      ['c', 2],
    ]);
  });

  it('keeps special tokens whatever their count, within maximumSize', () => {
    const vocabulary = counter.build({
      maximumSize: 4,
      minimumCount: 2,
      specialTokens: ['<bos>', 'e', 'e'],
      unknownToken: '<unk>',
    });
    expect(listed(vocabulary)).toEqual([
      ['<unk>', 9],
      ['a', 3],
      ['e', 1],
      ['<bos>', 0],
    ]);
  });

  it('does not depend on the order of the text', () => {
    const tokens = fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1 });
    fc.assert(
      fc.property(
        tokens.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const built = [list, shuffled].map((order) => {
            const each = new VocabularyCounter();
            each.addAll(order);
            return each.build({ unknownToken: '?', specialTokens: ['<eos>'] });
          });
          expect(built[0]?.toJSON()).toEqual(built[1]?.toJSON());
          expect(new Map(listed(built[0] as Vocabulary).filter(([, count]) => count > 0))).toEqual(trueCounts(list));
        },
      ),
    );
  });

  it('can go on counting afterwards', () => {
    const growing = counterOf('a b');
    growing.build();
    growing.addAll(['b', 'c']);
    expect(listed(growing.build())).toEqual([
      ['b', 2],
      ['a', 1],
      ['c', 1],
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a text of one word',
      () => counterOf('a a a').build(),
      'bad-vocabulary: VocabularyCounter.build: only "a" is left of 1 distinct tokens (3 in all) with minimumCount 1; at least 2 are needed: give more text or a lower minimumCount',
    ],
    [
      'a text of no words',
      () => new VocabularyCounter().build({ minimumCount: 3 }),
      'bad-vocabulary: VocabularyCounter.build: no token is left of 0 distinct tokens (0 in all) with minimumCount 3; at least 2 are needed: give more text or a lower minimumCount',
    ],
    [
      'a minimumCount that leaves only the unknown token',
      () => counterOf('a b').build({ minimumCount: 2, unknownToken: '?' }),
      'bad-vocabulary: VocabularyCounter.build: only "?" is left of 2 distinct tokens (2 in all) with minimumCount 2; at least 2 are needed: give more text or a lower minimumCount',
    ],
    [
      'special tokens beyond maximumSize',
      () => counterOf('a b').build({ maximumSize: 2, specialTokens: ['x', 'y', 'z'] }),
      'bad-option: VocabularyCounter.build: 3 special tokens do not fit a maximumSize of 2; raise it to at least 4',
    ],
    [
      'a minimumCount of 0',
      () => counterOf('a b').build({ minimumCount: 0 }),
      'bad-option: VocabularyCounter.build: minimumCount is 0; an integer in 1..9007199254740991 is needed',
    ],
    [
      'a fractional maximumEntries',
      () => new VocabularyCounter({ maximumEntries: 2.5 }),
      'bad-option: VocabularyCounter: maximumEntries is 2.5; an integer in 2..16777215 is needed',
    ],
  ])('rejects %s', async (_, action, message) => {
    expect(await thrownBy(action)).toBe(message);
  });
});

describe('VocabularyCounter in bounded memory', () => {
  it('keeps its bounds on any stream', () => {
    // A few frequent words among many rare ones: what pruning must tell apart.
    const word = fc.oneof({ weight: 2, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 300 }), fc.integer({ min: 2, max: 20 }), (stream, maximumEntries) => {
        const tokens = stream.map(String);
        const counter = new VocabularyCounter({ maximumEntries });
        for (const token of tokens) {
          counter.add(token);
          expect(counter.entries).toBeLessThanOrEqual(maximumEntries);
        }
        expect(counter.total).toBe(tokens.length);
        expect(counter.errorBound).toBeLessThanOrEqual((2 * tokens.length) / maximumEntries);
        const truth = trueCounts(tokens);
        if (truth.size <= maximumEntries) expect(counter.isExact).toBe(true);
        for (const [token, count] of truth) {
          const held = counter.countOf(token);
          expect(held).toBeLessThanOrEqual(count);
          expect(count - held).toBeLessThanOrEqual(counter.errorBound);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('drops the rarer half, and remembers of each word how much it may have missed', () => {
    const counter = new VocabularyCounter({ maximumEntries: 4 });
    counter.addAll(['a', 'b', 'b', 'b', 'c', 'd', 'd', 'd', 'd']);
    counter.add('e'); // a 1, b 3, c 1, d 4: the floor becomes 1, which drops a and c
    expect([counter.errorBound, ...['a', 'b', 'c', 'd', 'e'].map((word) => counter.countOf(word))]).toEqual([
      1, 0, 3, 0, 4, 1,
    ]);
    counter.addAll(['f', 'f', 'g']); // at most b 3, d 4, e 1 + 1, f 2 + 1: the floor becomes 3, which drops b, e and f
    expect([counter.errorBound, ...['b', 'd', 'e', 'f', 'g'].map((word) => counter.countOf(word))]).toEqual([
      3, 0, 4, 0, 0, 1,
    ]);
    counter.addAll(['h', 'i', 'i', 'j']); // at most d 4, g 1 + 3, h 1 + 3, i 2 + 3: the floor becomes 4
    expect([counter.errorBound, ...['d', 'g', 'h', 'i', 'j'].map((word) => counter.countOf(word))]).toEqual([
      4, 0, 0, 0, 2, 1,
    ]);
    counter.addAll(['k', 'l', 'm']); // at most i 5, j 1 + 4, k 1 + 4, l 1 + 4: the floor becomes 5
    expect([counter.errorBound, counter.entries, counter.total]).toEqual([5, 1, 20]);
  });

  it('keeps with a survivor what it may have missed before it was entered', () => {
    const counter = new VocabularyCounter({ maximumEntries: 4 });
    counter.addAll(['a', 'b', 'b', 'b', 'c', 'd', 'd', 'd', 'd']);
    counter.addAll(['e', 'f', 'f', 'f', 'f', 'g']); // at most b 3, d 4, e 1 + 1, f 4 + 1: the floor becomes 3
    counter.addAll(['h', 'i']); // at most d 4, f 4 + 1, g 1 + 3, h 1 + 3: the floor becomes 4, which f alone exceeds
    expect([counter.errorBound, ...['d', 'f', 'g', 'h', 'i'].map((word) => counter.countOf(word))]).toEqual([
      4, 0, 4, 0, 0, 1,
    ]);
  });

  it('finds the frequent words of a Zipf stream with an eighth of its types', () => {
    const random = new RandomGenerator(11);
    const counter = new VocabularyCounter({ maximumEntries: 2048 });
    const tokens: string[] = [];
    for (let at = 0; at < 100_000; at++) tokens.push(`word-${String(Math.floor(20_000 ** random.uniform()))}`);
    counter.addAll(tokens);
    const truth = trueCounts(tokens);
    expect(truth.size).toBeGreaterThan(8 * 2048 * 0.7);
    expect(counter.isExact).toBe(false);
    const vocabulary = counter.build({ minimumCount: 100, unknownToken: '<unk>' });
    expect(vocabulary.counts.reduce((sum, count) => sum + count, 0)).toBe(100_000);
    for (const [token, count] of truth) {
      if (count >= 100 + counter.errorBound) expect(vocabulary.has(token)).toBe(true);
      if (count < 100) expect(vocabulary.has(token)).toBe(false);
    }
  });
});
