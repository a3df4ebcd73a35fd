// Trains a small language model that predicts the next word of a text, on any backend. The text is generated here: only
// a few words may follow each word, so there is something to learn. The first losses are those of an untrained model.

import { Tape } from '@vastmax/autodiff';
import { read, type Backend } from '@vastmax/linalg-core';
import { createNetwork, Optimizer } from '@vastmax/lm-models';
import { countTokens, encodeTokens, NgramBatches, RandomGenerator, whitespaceTokens } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';

export const steps = 200;

const words = 2000;
const followers = 3;
const lines = 2500;
const wordsPerLine = 12;
const order = 2;

/** @returns the mean loss of each step */
export async function trainWordModel(
  backend: Backend,
  onStep: (losses: readonly number[]) => void | Promise<void> = () => {},
): Promise<readonly number[]> {
  const text = createText();
  const vocabulary = (await countTokens(text, { tokenize: whitespaceTokens, endOfLine: '<eos>' })).build();
  const tokens = await encodeTokens(text, vocabulary, { tokenize: whitespaceTokens, endOfLine: '<eos>' });
  const batches = new NgramBatches({
    tokens,
    classes: vocabulary.size,
    order,
    batchSize: 64,
    seed: 1,
    paddingId: vocabulary.idOf('<eos>') ?? 0,
  });
  using model = await createNetwork(
    backend,
    { inputs: vocabulary.size, frequencies: vocabulary.counts },
    {
      body: { kind: 'ngram', order, embedding: 24, hidden: [48] },
      output: { kind: 'factored', loss: { name: 'z-loss', options: { a: 0.1, b: 10 } }, initialScale: 0.01, seed: 1 },
    },
  );
  using tape = new Tape(backend);
  using optimizer = new Optimizer(backend, model.body.parameters, createUpdateRule('sgd'), {});
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const batch = batches.next();
    tape.reset();
    const hidden = model.body.forward(tape, batch, { training: true });
    const result = await model.output.step(hidden.value, batch.targets, { learningRate: 1 });
    tape.backward(hidden, result.hiddenGradient);
    optimizer.step(5);
    losses.push(mean(await read(result.losses)));
    await onStep(losses);
  }
  return losses;
}

/** A text in which words with small numbers are more frequent, and each word is followed by one of three words. */
function createText(): readonly string[] {
  const random = new RandomGenerator(3);
  const next = Array.from({ length: words }, () =>
    Array.from({ length: followers }, () => Math.floor(words * random.uniform() ** 3)),
  );
  return Array.from({ length: lines }, () => {
    let word = random.integer(words);
    return Array.from({ length: wordsPerLine }, () => {
      word = next[word]?.[random.integer(followers)] ?? 0;
      return `w${word}`;
    }).join(' ');
  });
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
