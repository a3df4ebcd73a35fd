// Word vectors (CBOW) with an exact output layer over the whole vocabulary: no negative samples.
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { bagModelShape, computeNeighbors, createNetwork, Trainer } from '@vastmax/lm-models';
import { countTokens, encodeTokens, RandomGenerator, whitespaceTokens, WindowBatches } from '@vastmax/sparse-data';

// Sentences of a small grammar; words of the same kind occur in the same places.
const kinds = {
  animal: ['cat', 'dog', 'horse', 'mouse', 'bird'],
  food: ['bread', 'apples', 'cheese', 'grass', 'corn'],
  verb: ['eats', 'finds', 'likes', 'wants'],
  time: ['today', 'often', 'now', 'again'],
};
const random = new RandomGenerator(1);
const any = (kind) => kinds[kind][random.integer(kinds[kind].length)];
const sentences = Array.from(
  { length: 2000 },
  () => `the ${any('animal')} ${any('verb')} the ${any('food')} ${any('time')}`,
);

const reading = { tokenize: whitespaceTokens, endOfLine: '<eos>' };
const vocabulary = (await countTokens(sentences, reading)).build();
const tokens = await encodeTokens(sentences, vocabulary, reading);
const batches = new WindowBatches({
  tokens,
  classes: vocabulary.size,
  before: 2,
  after: 2,
  predict: 'centre',
  batchSize: 64,
  seed: 1,
});
const backend = await createWasmBackend();
const sizes = { inputs: vocabulary.size, frequencies: vocabulary.counts };
const network = await createNetwork(backend, sizes, {
  body: { kind: 'bag', embedding: 16, ...bagModelShape('cbow'), seed: 1 },
  output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.1, seed: 2 },
});
const training = { bodyRate: 0.2, outputRate: 0.2, optimizer: 'sgd', schedule: 'linear', examples: 40_000 };
for await (const event of new Trainer(network, batches, training).run())
  if (event.type === 'finished') console.log(`${event.examples} examples seen`);

const words = ['cat', 'cheese', 'eats', 'now'];
const neighbors = await computeNeighbors(network, vocabulary, words, { k: 2, kind: 'output' });
for (const [i, word] of words.entries()) console.log(`${word}: ${neighbors[i].map((each) => each.word).join(', ')}`);
await backend.dispose();
