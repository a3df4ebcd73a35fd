import { createPlainBackend } from '@vastmax/linalg-core';
import { Trainer, type NetworkOptions } from '@vastmax/lm-models';
import {
  createTextModel,
  exampleSettingsFrom,
  textBody,
  type TextModel,
  textModelNames,
  type TextModelName,
} from '@vastmax/lm-models/text';
import { Vocabulary } from '@vastmax/sparse-data';
import { expect, it } from 'vitest';

const words = ['<eos>', 'a', 'b', 'c', 'd', 'e'];
/** The words in turn, again and again: each follows from the one before it. */
const tokens = Int32Array.from({ length: 600 }, (_, i) => i % words.length);
const data = { tokens, paddingId: 0 };

function createVocabulary(): Vocabulary {
  return new Vocabulary({ tokens: words, counts: new Float64Array(words.length).fill(100) });
}

function createModel(model: TextModelName): Promise<TextModel> {
  const isBag = ['bag', 'cbow', 'skip-gram'].includes(model);
  const options: NetworkOptions = {
    body: textBody(model, { order: 2, embedding: 8, ...(isBag ? {} : { hidden: [12] }) }),
    output: { kind: 'full', initialScale: 0.1, seed: 2 },
  };
  const examples = { model, ...(isBag ? { window: 1 } : { steps: 5 }) };
  return createTextModel(createPlainBackend({ precision: 'f64' }), createVocabulary(), examples, options);
}

async function train(model: TextModel): Promise<readonly number[]> {
  const { batches } = model.trainingBatches(data, { batchSize: 20, seed: 3 });
  using trainer = new Trainer(model.network, batches, {
    bodyRate: 0.02,
    outputRate: 1,
    optimizer: 'adam',
    schedule: 'constant',
    examples: 4000,
  });
  const losses: number[] = [];
  for await (const event of trainer.run()) if (event.type === 'progress') losses.push(event.loss);
  return losses;
}

it.each(textModelNames)('a %s model is created, trained and asked for words', async (name) => {
  using model = await createModel(name);
  const losses = await train(model);
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  const lists = await model.predictNextWords([['a'], ['c', 'd'], []], { k: 3, paddingWord: '<eos>' });
  expect(lists.map((list) => list.length)).toEqual([3, 3, 3]);
  // What stands beside 'd' on one side, and on both.
  const last = lists[1]?.map(({ word }) => word) ?? [];
  if (name === 'skip-gram') expect(last.slice(0, 2).sort()).toEqual(['c', 'e']);
  else if (name !== 'cbow') expect(last[0]).toBe('e');
  const [[first] = []] = lists;
  const [few] = await model.predictNextWords([['a']], { k: 3, paddingWord: '<eos>', minScore: first?.score ?? 0 });
  expect(few).toEqual([first]);
});

it.each(textModelNames)(
  'a %s model ranks the words of a text, unless it predicts those around a word',
  async (name) => {
    using model = await createModel(name);
    expect(model.ranksWords).toBe(name !== 'skip-gram');
    if (!model.ranksWords) {
      expect(() => model.evaluate(data, {})).toThrow(expect.objectContaining({ code: 'unsupported' }));
      return;
    }
    await train(model);
    const { examples, topAccuracy } = await model.evaluate(data, { limit: 100 });
    expect(examples).toBe(100);
    expect(topAccuracy[1]).toBeGreaterThan(0.9);
  },
);

it('recurrent models take whole steps of streams', async () => {
  using model = await createModel('lstm');
  expect(model.trainingBatches(data, { batchSize: 22, seed: 1 })).toMatchObject({ batchSize: 20, streams: 4 });
  using ngram = await createModel('ngram');
  expect(ngram.trainingBatches(data, { batchSize: 22, seed: 1 })).toMatchObject({ batchSize: 22 });
});

it('the body must be that of the model', async () => {
  const options: NetworkOptions = {
    body: textBody('cbow', { embedding: 4 }),
    output: { kind: 'full', initialScale: 0.1, seed: 2 },
  };
  const created = createTextModel(createPlainBackend(), createVocabulary(), { model: 'gru' }, options);
  await expect(created).rejects.toMatchObject({
    code: 'bad-option',
    message: "a gru model has the body 'recurrent', got 'bag'",
  });
});

it('the examples of a checkpoint', () => {
  expect(exampleSettingsFrom({})).toEqual({ model: 'ngram' });
  expect(exampleSettingsFrom({ exampleSettings: { model: 'lstm', steps: 4 } })).toEqual({ model: 'lstm', steps: 4 });
  for (const exampleSettings of [{ model: 'mamba' }, { model: 'cbow', window: 0 }])
    expect(() => exampleSettingsFrom({ exampleSettings })).toThrow(expect.objectContaining({ code: 'state-mismatch' }));
});
