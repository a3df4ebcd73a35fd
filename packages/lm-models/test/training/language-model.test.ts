import { createPlainBackend } from '@vastmax/linalg-core';
import {
  createLanguageModel,
  loadLanguageModel,
  modelOptionsFrom,
  Trainer,
  type LanguageModel,
  type LanguageModelOptions,
  type SavedModel,
} from '@vastmax/lm-models';
import { Vocabulary } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../numbers.ts';
import { captureSnapshot } from './captured-snapshot.ts';
import { eventsOf } from './run-training.ts';
import { createToyModel, toyBatches, toyModelOptions, toyNext, toyTraining, toyVocabulary } from './toy-language.ts';

const tokens = ['<eos>', 'the', 'cat', 'dog', '<unk>', 'sat'];
const counts = [9, 8, 7, 6, 5, 4];
const withUnknown = new Vocabulary({ tokens, counts, unknownToken: '<unk>' });
const withoutUnknown = new Vocabulary({ tokens, counts });
const options: LanguageModelOptions = {
  body: { order: 3, embedding: 4, hidden: [5], embeddingScale: 1 },
  output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.5, seed: 2 },
};

/** All words by falling score for a context, from the output layer's own scores. */
async function rankedFor(model: LanguageModel, context: readonly string[]): Promise<{ word: string; score: number }[]> {
  const ids = Int32Array.from(context, (word) => model.vocabulary.idOf(word) ?? -1);
  using out = model.backend.createMatrix(1, model.vocabulary.size);
  model.output.scores(model.computeHidden(ids, 1), 0, out);
  const scores = await valuesOf(out);
  return model.vocabulary.tokens.map((word, id) => ({ word, score: scores[id]! })).sort((a, b) => b.score - a.score);
}

describe('LanguageModel.predict', () => {
  it('takes the last words of the prompt', async () => {
    using model = await createLanguageModel(createPlainBackend(), withUnknown, options);
    const expected = await rankedFor(model, ['cat', 'sat', 'the']);
    expect(await model.predict(['the', 'dog', 'cat', 'sat', 'the'], 6, '<eos>')).toEqual(expected);
    expect(await model.predict(['cat', 'sat', 'the'], 2, '<eos>')).toEqual(expected.slice(0, 2));
    expect(expected).not.toEqual(await rankedFor(model, ['the', 'sat', 'cat']));
  });

  it('pads a short or empty prompt in front', async () => {
    using model = await createLanguageModel(createPlainBackend(), withUnknown, options);
    expect(await model.predict(['cat'], 6, '<eos>')).toEqual(await rankedFor(model, ['<eos>', '<eos>', 'cat']));
    expect(await model.predict([], 6, '<eos>')).toEqual(await rankedFor(model, ['<eos>', '<eos>', '<eos>']));
  });

  it('takes unknown words for the unknown word, or says that there is none', async () => {
    using model = await createLanguageModel(createPlainBackend(), withUnknown, options);
    expect(await model.predict(['the', 'aardvark'], 6, 'nowhere')).toEqual(
      await rankedFor(model, ['<unk>', 'the', '<unk>']),
    );
    using strict = await createLanguageModel(createPlainBackend(), withoutUnknown, options);
    await expect(strict.predict(['aardvark'], 3, '<eos>')).rejects.toThrow(
      "the word 'aardvark' is not in the vocabulary, which has no word for unknown ones",
    );
    await expect(strict.predict(['cat'], 3, '<s>')).rejects.toThrow("the word '<s>'");
  });

  it('gives all words when k is larger than the vocabulary, and refuses a k below 1', async () => {
    using model = await createLanguageModel(createPlainBackend(), withUnknown, options);
    const all = await model.predict(['cat'], 1000, '<eos>');
    expect(all.map(({ word }) => word).sort()).toEqual([...tokens].sort());
    await expect(model.predict(['cat'], 0, '<eos>')).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('predicts what the language of a trained model says', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 15_000 }));
    await eventsOf(trainer);
    let right = 0;
    for (const word of toyVocabulary.tokens) {
      const [best] = await model.predict([word, toyNext(word)], 1, 'w0');
      if (best?.word === toyNext(toyNext(word))) right++;
    }
    expect(right).toBeGreaterThan(24);
  });

  it('creates no handle once warm', async () => {
    const backend = createPlainBackend();
    using model = await createLanguageModel(backend, withUnknown, options);
    await model.predict(['cat'], 3, '<eos>');
    const warm = backend.memory();
    for (let i = 0; i < 5; i++) await model.predict(['cat', 'sat'], 1 + i, '<eos>');
    expect(backend.memory()).toEqual(warm);
  });
});

describe('loadLanguageModel', () => {
  async function trained(): Promise<SavedModel & { readonly predictions: unknown }> {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 1600 }));
    await eventsOf(trainer);
    const predictions = await model.predict(['w3', 'w10'], 5, 'w0');
    return { ...(await captureSnapshot(trainer.snapshot())), predictions };
  }

  it('gives the model that was saved, which predicts the same', async () => {
    const saved = await trained();
    using model = await loadLanguageModel(createPlainBackend(), saved, toyVocabulary);
    expect(model.options).toEqual(toyModelOptions('z-loss'));
    expect(await model.predict(['w3', 'w10'], 5, 'w0')).toEqual(saved.predictions);
    expect(Object.keys(model.modules()).sort()).toEqual(['body', 'output']);
  });

  it('refuses what describes no model and another vocabulary, and leaves nothing behind', async () => {
    const saved = await trained();
    const backend = createPlainBackend();
    const before = backend.memory();
    await expect(loadLanguageModel(backend, { ...saved, configuration: {} }, toyVocabulary)).rejects.toThrow(
      "the checkpoint's configuration describes no language model: 'model.body' and 'model.output' are missing",
    );
    await expect(loadLanguageModel(backend, saved, withUnknown)).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "tensor 'embeddings' is 29×6 in the checkpoint, the model's is 6×6",
    });
    expect(backend.memory()).toEqual(before);
  });

  it('names a loss and a layer that this version does not know', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const renamed = (output: unknown): SavedModel['configuration'] => ({
      model: { body: { ...options.body, hidden: [4] }, output: output as never },
    });
    const module = (): never => {
      throw new Error('unreachable');
    };
    await expect(
      loadLanguageModel(
        backend,
        { configuration: renamed({ ...options.output, kind: 'softmax' }), module },
        withUnknown,
      ),
    ).rejects.toThrow("no output layer is called 'softmax'; there are factored");
    await expect(
      loadLanguageModel(
        backend,
        { configuration: renamed({ ...options.output, loss: { name: 'hinge', options: {} } }), module },
        withUnknown,
      ),
    ).rejects.toThrow("no built-in loss is called 'hinge'");
    expect(backend.memory()).toEqual(before);
  });

  it('reads the options of a model out of a configuration', () => {
    expect(modelOptionsFrom({ model: toyModelOptions('z-loss') as never })).toEqual(toyModelOptions('z-loss'));
    for (const model of [null, 3, 'x', { body: {} }, { output: {} }]) {
      expect(() => modelOptionsFrom({ model: model as never })).toThrow(RangeError);
    }
  });
});
