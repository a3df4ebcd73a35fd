// A trained model leaves: it is written as ONNX, and onnxruntime-web runs it, as in a page.
import { createMemoryStorage } from '@vastmax/checkpoints';
import { createPlainBackend } from '@vastmax/linalg-core';
import { createNetwork, topClasses, Trainer } from '@vastmax/lm-models';
import { exportOnnx } from '@vastmax/onnx';
import { NgramBatches } from '@vastmax/sparse-data';
import * as ort from 'onnxruntime-web';

const verse = `if all the seas were one sea what a great sea that would be and if all the trees were one tree what a great
tree that would be and if all the axes were one axe what a great axe that would be`;
const text = verse.split(/\s+/);
const words = [...new Set(text)];
const tokens = Int32Array.from(text, (word) => words.indexOf(word));
// The vocabulary has 20,000 words, most of which the verse lacks.
const vocabulary = 20_000;
const frequencies = new Float64Array(vocabulary);
for (const token of tokens) frequencies[token]++;

const network = await createNetwork(
  createPlainBackend(),
  { inputs: vocabulary, frequencies },
  {
    body: { kind: 'ngram', order: 3, embedding: 8, hidden: [16] },
    output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.01, seed: 1 },
  },
);
const batches = new NgramBatches({ tokens, classes: vocabulary, order: 3, batchSize: 8, paddingId: 0, seed: 1 });
const training = { bodyRate: 0.01, outputRate: 1, optimizer: 'adam', schedule: 'linear', examples: 4000 };
for await (const event of new Trainer(network, batches, training).run())
  if (event.type === 'finished') console.log(`${event.examples} examples seen`);

const storage = createMemoryStorage(); // createFileStorage(folder) of @vastmax/checkpoints/node for files
const { files } = await exportOnnx(network, storage, 'verse.onnx', { top: 1, classNames: words });
console.log(files.map(({ name }) => name).join(', '));

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(await storage.files.get('verse.onnx').arrayBuffer());
const prompts = ['if all the', 'that would be', 'what a great'];
const contexts = Int32Array.from(prompts.flatMap((prompt) => prompt.split(' ').map((word) => words.indexOf(word))));
const feeds = { words: new ort.Tensor('int32', contexts, [prompts.length, 3]) };
const { top_classes, top_scores } = await session.run(feeds, ['top_classes', 'top_scores']);

const own = await topClasses(network.output, network.computeHidden({ contexts, size: prompts.length }), 1);
for (const [row, prompt] of prompts.entries()) {
  const same = Math.abs(top_scores.data[row] - own.scores[row]) < 1e-5 * Math.abs(own.scores[row]);
  console.log(`${prompt} … ${words[top_classes.data[row]]}${same ? ', with the score that vastmax gives it' : ''}`);
}
