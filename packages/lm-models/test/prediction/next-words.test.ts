import { createPlainBackend, type Backend } from '@vastmax/linalg-core';
import {
  createNetwork,
  loadNetwork,
  networkOptionsFrom,
  predictNextWords,
  Trainer,
  type NetworkOptions,
  type NextWord,
  type NgramNetwork,
  type SavedModel,
} from '@vastmax/lm-models';
import { Vocabulary } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../numbers.ts';
import { captureSnapshot } from '../training/captured-snapshot.ts';
import { eventsOf } from '../training/run-training.ts';
import {
  createToyModel,
  toyBatches,
  toyModelOptions,
  toyNext,
  toyTraining,
  toyVocabulary,
} from '../training/toy-language.ts';

const tokens = ['<eos>', 'the', 'cat', 'dog', '<unk>', 'sat'];
const counts = [9, 8, 7, 6, 5, 4];
const withUnknown = new Vocabulary({ tokens, counts, unknownToken: '<unk>' });
const withoutUnknown = new Vocabulary({ tokens, counts });
const options: NetworkOptions<'ngram'> = {
  body: { kind: 'ngram', order: 3, embedding: 4, hidden: [5], embeddingScale: 1 },
  output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.5, seed: 2 },
};

const create = (backend: Backend = createPlainBackend()): Promise<NgramNetwork> =>
  createNetwork(backend, { inputs: tokens.length, frequencies: Float64Array.from(counts) }, options);

/** After one prompt. */
async function predict(
  network: NgramNetwork,
  words: readonly string[],
  k: number,
  paddingWord: string,
  vocabulary: Vocabulary = withUnknown,
): Promise<NextWord[]> {
  const [next = []] = await predictNextWords(network, vocabulary, [words], { k, paddingWord });
  return next;
}

/** All words by falling score for a context, from the output layer's own scores. */
async function rankedFor(network: NgramNetwork, context: readonly string[]): Promise<NextWord[]> {
  const contexts = Int32Array.from(context, (word) => withUnknown.idOf(word) ?? -1);
  using out = network.backend.createMatrix(1, tokens.length);
  network.output.scores(network.computeHidden({ contexts, size: 1 }), 0, out);
  const scores = await valuesOf(out);
  return tokens.map((word, id) => ({ word, score: scores[id]! })).sort((a, b) => b.score - a.score);
}

describe('predictNextWords', () => {
  it('takes the last words of the prompt', async () => {
    using network = await create();
    const expected = await rankedFor(network, ['cat', 'sat', 'the']);
    expect(await predict(network, ['the', 'dog', 'cat', 'sat', 'the'], 6, '<eos>')).toEqual(expected);
    expect(await predict(network, ['cat', 'sat', 'the'], 2, '<eos>')).toEqual(expected.slice(0, 2));
    expect(expected).not.toEqual(await rankedFor(network, ['the', 'sat', 'cat']));
  });

  it('gives a list for each of several prompts', async () => {
    using network = await create();
    const prompts = [['cat', 'sat', 'the'], ['dog'], ['the', 'cat', 'sat']];
    const lists = await predictNextWords(network, withUnknown, prompts, { k: 3, paddingWord: '<eos>' });
    for (const [place, prompt] of prompts.entries())
      expect(lists[place]).toEqual(await predict(network, prompt, 3, '<eos>'));
    expect(await predictNextWords(network, withUnknown, [], { k: 3 })).toEqual([]);
  });

  it('pads a short or empty prompt in front', async () => {
    using network = await create();
    expect(await predict(network, ['cat'], 6, '<eos>')).toEqual(await rankedFor(network, ['<eos>', '<eos>', 'cat']));
    expect(await predict(network, [], 6, '<eos>')).toEqual(await rankedFor(network, ['<eos>', '<eos>', '<eos>']));
  });

  it('takes unknown words for the unknown word, or says that there is none', async () => {
    using network = await create();
    expect(await predict(network, ['the', 'aardvark'], 6, 'nowhere')).toEqual(
      await rankedFor(network, ['<unk>', 'the', '<unk>']),
    );
    await expect(predict(network, ['aardvark'], 3, '<eos>', withoutUnknown)).rejects.toMatchObject({
      code: 'unknown-word',
      message: "the word 'aardvark' is not in the vocabulary, which has no word for unknown ones",
    });
    await expect(predict(network, ['cat'], 3, '<s>', withoutUnknown)).rejects.toThrow("the word '<s>'");
  });

  it('gives all words when k is larger than the vocabulary, and refuses a k below 1', async () => {
    using network = await create();
    const all = await predict(network, ['cat'], 1000, '<eos>');
    expect(all.map(({ word }) => word).sort()).toEqual([...tokens].sort());
    await expect(predict(network, ['cat'], 0, '<eos>')).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('predicts what the language of a trained network says', async () => {
    using network = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(network, toyBatches(), toyTraining('z-loss', { examples: 15_000 }));
    await eventsOf(trainer);
    let right = 0;
    for (const word of toyVocabulary.tokens) {
      const [best] = await predict(network, [word, toyNext(word)], 1, 'w0', toyVocabulary);
      if (best?.word === toyNext(toyNext(word))) right++;
    }
    expect(right).toBeGreaterThan(24);
  });

  it('creates no handle once warm', async () => {
    const backend = createPlainBackend();
    using network = await create(backend);
    await predict(network, ['cat'], 3, '<eos>');
    const warm = backend.memory();
    for (let i = 0; i < 5; i++) await predict(network, ['cat', 'sat'], 1 + i, '<eos>');
    expect(backend.memory()).toEqual(warm);
  });
});

describe('loadNetwork of a language model', () => {
  async function trained(): Promise<SavedModel & { readonly predictions: unknown }> {
    using network = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(network, toyBatches(), toyTraining('z-loss', { examples: 1600 }));
    await eventsOf(trainer);
    const predictions = await predict(network, ['w3', 'w10'], 5, 'w0', toyVocabulary);
    return { ...(await captureSnapshot(trainer.snapshot())), predictions };
  }

  it('gives the network that was saved, which predicts the same', async () => {
    const saved = await trained();
    using network = await loadNetwork(createPlainBackend(), saved, { kind: 'ngram' });
    expect(network.options).toEqual(toyModelOptions('z-loss'));
    expect(await predict(network, ['w3', 'w10'], 5, 'w0', toyVocabulary)).toEqual(saved.predictions);
    expect(Object.keys(network.modules()).sort()).toEqual(['body', 'output', 'sizes']);
  });

  it('refuses what describes no network and other sizes, and leaves nothing behind', async () => {
    const saved = await trained();
    const backend = createPlainBackend();
    const before = backend.memory();
    await expect(loadNetwork(backend, { ...saved, configuration: {} })).rejects.toThrow(
      "the checkpoint's configuration describes no network: 'model.body' and 'model.output' are missing",
    );
    const module = (name: string): ReturnType<typeof saved.module> =>
      name === 'sizes' ? { ...saved.module('sizes'), configuration: { inputs: 6 } } : saved.module(name);
    await expect(loadNetwork(backend, { ...saved, module })).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "tensor 'embeddings' is 29×6 in the checkpoint, the model's is 6×6",
    });
    {
      using other = await createNetwork(
        backend,
        { inputs: 6, frequencies: Float64Array.from(counts) },
        toyModelOptions('z-loss'),
      );
      await expect(other.restore(saved)).rejects.toMatchObject({
        code: 'state-mismatch',
        message: "tensor 'embeddings' is 29×6 in the checkpoint, the model's is 6×6",
      });
    }
    expect(backend.memory()).toEqual(before);
  });

  it('names a body, a loss and a layer that this version does not know', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const saved = await trained();
    const load = (changes: { readonly body?: object; readonly output?: object }): Promise<unknown> =>
      loadNetwork(backend, { ...saved, configuration: { model: { ...options, ...changes } as never } });
    await expect(load({ output: { ...options.output, kind: 'softmax' } })).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining("no output layer is called 'softmax'; there are factored"),
    });
    await expect(load({ output: { ...options.output, loss: { name: 'hinge', options: {} } } })).rejects.toThrow(
      "no built-in loss is called 'hinge'",
    );
    await expect(load({ body: { ...options.body, kind: 'mamba' } })).rejects.toMatchObject({
      code: 'bad-option',
      message: "no body is called 'mamba'; there are ngram, bag, dense, recurrent, transformer, fold-in",
    });
    expect(backend.memory()).toEqual(before);
  });

  it('reads the options of a network out of a configuration', () => {
    expect(networkOptionsFrom({ model: toyModelOptions('z-loss') as never })).toEqual(toyModelOptions('z-loss'));
    const withoutKind = Object.fromEntries(Object.entries(options.body).filter(([name]) => name !== 'kind'));
    expect(networkOptionsFrom({ model: { ...options, body: withoutKind } as never })).toEqual(options);
    for (const model of [null, 3, 'x', { body: {} }, { output: {} }]) {
      expect(() => networkOptionsFrom({ model: model as never })).toThrow(
        expect.objectContaining({ code: 'state-mismatch' }),
      );
    }
  });
});
