import { describe, expect, it } from 'vitest';
import { Vocabulary, vocabularyFromJSON } from '../../src/text/vocabulary.ts';
import { thrownBy } from '../thrown-by.ts';

const awkward = ['the', '<unk>', '__proto__', 'constructor', 'toString', '', '\u{1F600}', '\ud800'];
const counts = [9, 8, 7, 7, 5, 4, 3, 0];

describe('Vocabulary', () => {
  const vocabulary = new Vocabulary({ tokens: awkward, counts, unknownToken: '<unk>' });

  it('maps tokens to classes and back, names of Object.prototype too', () => {
    expect(vocabulary.size).toBe(8);
    awkward.forEach((token, id) => {
      expect(vocabulary.idOf(token)).toBe(id);
      expect(vocabulary.tokenOf(id)).toBe(token);
    });
    expect(vocabulary.counts).toEqual(Float64Array.from(counts));
    expect([vocabulary.idOf('hasOwnProperty'), vocabulary.has('hasOwnProperty'), vocabulary.unknownId]).toEqual([
      1,
      false,
      1,
    ]);
  });

  it('has no class for an unknown token where there is no unknown token', () => {
    const closed = new Vocabulary({ tokens: ['a', 'b'], counts: [2, 1] });
    expect([closed.idOf('c'), closed.unknownId]).toEqual([undefined, undefined]);
  });

  it('keeps its own copy of what it was made from', () => {
    const tokens = ['a', 'b'];
    const own = new Vocabulary({ tokens, counts: [2, 1] });
    tokens[0] = 'c';
    expect(own.tokenOf(0)).toBe('a');
  });

  it('survives JSON', () => {
    const read = vocabularyFromJSON(JSON.parse(JSON.stringify(vocabulary)));
    expect([read.tokens, read.counts, read.unknownToken]).toEqual([vocabulary.tokens, vocabulary.counts, '<unk>']);
    const closed = new Vocabulary({ tokens: ['a', 'b'], counts: [2, 1] });
    expect(vocabularyFromJSON(closed.toJSON()).unknownToken).toBeUndefined();
  });

  it('rejects ids out of range', async () => {
    for (const id of [-1, 8, 0.5, Number.NaN]) {
      expect(await thrownBy(() => vocabulary.tokenOf(id))).toBe(
        `index-out-of-range: Vocabulary.tokenOf: id is ${String(id)}, the size is 8; ids are integers 0..7`,
      );
    }
  });

  it.each<[string, () => unknown, string]>([
    [
      'one word',
      () => new Vocabulary({ tokens: ['a'], counts: [1] }),
      'Vocabulary: only the token "a"; at least 2 are needed to have something to predict',
    ],
    [
      'no word',
      () => new Vocabulary({ tokens: [], counts: [] }),
      'Vocabulary: no token; at least 2 are needed to have something to predict',
    ],
    [
      'a repeated token',
      () => new Vocabulary({ tokens: ['a', 'b', 'a'], counts: [3, 2, 1] }),
      'Vocabulary: token "a" is there twice, as 0 and 2; tokens must be distinct',
    ],
    [
      'rising counts',
      () => new Vocabulary({ tokens: ['a', 'b'], counts: [1, 2] }),
      'Vocabulary: counts rise from 1 at token 0 to 2 at 1; tokens are sorted by falling count',
    ],
    [
      'a NaN count',
      () => new Vocabulary({ tokens: ['a', 'b'], counts: [1, Number.NaN] }),
      'Vocabulary: token 1, "b", has the count NaN; a finite number of at least 0 is needed',
    ],
    [
      'other lengths',
      () => new Vocabulary({ tokens: ['a', 'b'], counts: [1] }),
      'Vocabulary: 2 tokens but 1 counts; they must be equal',
    ],
    [
      'an absent unknown token',
      () => new Vocabulary({ tokens: ['a', 'b'], counts: [1, 1], unknownToken: '?' }),
      'Vocabulary: the unknown token "?" is not among the 2 tokens; add it or leave unknownToken out',
    ],
    [
      'JSON null',
      () => vocabularyFromJSON(null),
      'vocabularyFromJSON: got null; an object as Vocabulary.toJSON writes it is needed',
    ],
    [
      'another format',
      () => vocabularyFromJSON({ format: 'x' }),
      'vocabularyFromJSON: format is "x"; "vastmax-vocabulary" is needed',
    ],
    [
      'another version',
      () => vocabularyFromJSON({ ...vocabulary.toJSON(), version: 2 }),
      'vocabularyFromJSON: version is 2; this package reads version 1',
    ],
    [
      'tokens that are no array',
      () => vocabularyFromJSON({ ...vocabulary.toJSON(), tokens: {} }),
      'vocabularyFromJSON: tokens is an object; an array of strings is needed',
    ],
    [
      'counts that are no array',
      () => vocabularyFromJSON({ ...vocabulary.toJSON(), counts: 3 }),
      'vocabularyFromJSON: counts is 3; an array of numbers is needed',
    ],
    [
      'a token that is no string',
      () => vocabularyFromJSON({ ...vocabulary.toJSON(), tokens: [1, 2], counts: [1, 1] }),
      'Vocabulary: token 0 is 1; a string is needed',
    ],
    [
      'a missing unknown token',
      () => vocabularyFromJSON({ format: 'vastmax-vocabulary', version: 1 }),
      'vocabularyFromJSON: unknownToken is undefined; a string or null is needed',
    ],
  ])('rejects %s', async (_, action, message) => {
    expect(await thrownBy(action)).toBe(`bad-vocabulary: ${message}`);
  });
});
