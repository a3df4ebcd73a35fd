import { createPlainBackend } from '@vastmax/linalg-core';
import { continueWords, createNetwork, predictNextWords, type NetworkOptions, type NextWord } from '@vastmax/lm-models';
import { Vocabulary } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';

const tokens = ['<eos>', 'the', 'cat', 'dog', '<unk>', 'sat'];
const vocabulary = new Vocabulary({ tokens, counts: [9, 8, 7, 6, 5, 4], unknownToken: '<unk>' });
const output = { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.5, seed: 2 } as const;
const transformer = { kind: 'transformer', embedding: 4, layers: 2, heads: 2, context: 6, embeddingScale: 1 } as const;
const ngram = { kind: 'ngram', order: 2, embedding: 4, hidden: [5], embeddingScale: 1 } as const;

const create = (body: NetworkOptions<'ngram' | 'transformer'>['body']): ReturnType<typeof createNetwork> =>
  createNetwork(
    createPlainBackend({ precision: 'f64' }),
    { inputs: tokens.length, frequencies: vocabulary.counts },
    { body, output },
  );

/** Words that a model of chance cannot foresee, until there are enough. */
function chooser(words: readonly string[], seen: NextWord[][]): (best: readonly NextWord[]) => string | undefined {
  let place = 0;
  return (best) => {
    seen.push([...best]);
    return words[place++];
  };
}

describe('continueWords', () => {
  it.each([
    ['a transformer, which reads the last half of its context again when that is full', transformer],
    ['an n-gram', ngram],
  ] as const)('gives the words that follow by %s', async (_name, body) => {
    using network = await create(body);
    const prompt = ['the', 'cat'];
    const added = ['sat', 'dog', 'the', 'cat', 'sat', 'the', 'dog', 'cat', 'the'];
    const options = { k: 3, paddingWord: '<eos>' };
    const seen: NextWord[][] = [];
    const found: string[] = [];
    for await (const word of continueWords(network, vocabulary, prompt, { ...options, choose: chooser(added, seen) }))
      found.push(word);
    expect(found).toEqual(added);
    expect(seen).toHaveLength(added.length + 1);
    // Of six positions one is the padding: the window begins anew, with three words, when the others are full.
    let first = 0;
    for (const [place, list] of seen.entries()) {
      const text = [...prompt, ...added.slice(0, place)];
      if (body.kind === 'transformer' && text.length - first > 5) first = text.length - 3;
      const [expected = []] = await predictNextWords(network, vocabulary, [text.slice(first)], options);
      expect(list.map(({ word }) => word)).toEqual(expected.map(({ word }) => word));
      for (const [at, { score }] of list.entries()) expect(score).toBeCloseTo(expected[at]!.score, 12);
    }
  });

  it('ends with the word that ends a text, reads the end of a long prompt, and refuses an unknown word', async () => {
    using network = await create(transformer);
    const long = ['sat', 'the', 'cat', 'dog', 'sat', 'the', 'cat'];
    const seen: NextWord[][] = [];
    const words = continueWords(network, vocabulary, long, {
      k: 2,
      endWord: '<eos>',
      choose: chooser(['cat', '<eos>', 'dog'], seen),
    });
    expect([await words.next(), await words.next()]).toEqual([
      { value: 'cat', done: false },
      { value: undefined, done: true },
    ]);
    const [expected = []] = await predictNextWords(network, vocabulary, [long], { k: 2 });
    expect(seen[0]![0]!.score).toBeCloseTo(expected[0]!.score, 12);
    const strict = new Vocabulary({ tokens, counts: [9, 8, 7, 6, 5, 4] });
    const unknown = continueWords(network, strict, ['mouse'], { k: 1, choose: () => 'the' });
    await expect(unknown.next()).rejects.toThrow("the word 'mouse' is not in the vocabulary");
  });
});
