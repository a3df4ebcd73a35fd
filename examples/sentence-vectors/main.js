// Vectors of sentences in a .npy file, 100,000 possible answers: which answer belongs to a new question?
import { createPlainBackend } from '@vastmax/linalg-core';
import { createNetwork, topClasses, Trainer } from '@vastmax/lm-models';
import { createDenseRows, DenseBatches, singleTargets } from '@vastmax/sparse-data';
import { openFeatures, writeNpy } from '@vastmax/text-readers/node';

const questions = [
  ['how do I change my password', 'I forgot my password', 'reset the password please'],
  ['where is my parcel', 'my parcel has not arrived', 'track the parcel I ordered'],
  ['can I pay with a credit card', 'which credit cards do you take', 'paying by card does not work'],
  ['I want my money back', 'how long does a refund take', 'refund the money for my order'],
];
const [width, answers] = [128, 100_000];

// In place of a sentence encoder: the three-letter parts of a sentence, hashed into 128 numbers of unit length.
function encode(sentence) {
  const vector = new Float32Array(width);
  for (let i = 0; i + 3 <= sentence.length; i++) {
    const part = sentence.slice(i, i + 3).toLowerCase();
    vector[[...part].reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)) % 4093, 7) % width]++;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

async function* vectorsOf(sentences) {
  for (const sentence of sentences) yield { vector: encode(sentence), place: sentence };
}

const sentences = questions.flat();
await writeNpy('questions.npy', vectorsOf(sentences));
const { inputs } = await openFeatures('questions.npy');
const labels = Int32Array.from(sentences, (_, i) => 24_999 * Math.floor(i / 3));
const targets = singleTargets(labels, answers);

const network = await createNetwork(
  createPlainBackend(),
  { inputs: width, frequencies: new Float64Array(answers).fill(1) },
  {
    body: { kind: 'dense', inputScale: 1 / Math.sqrt(width) },
    output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.01, seed: 1 },
  },
);
const batches = new DenseBatches({ inputs, targets, batchSize: 4, seed: 1 });
const training = { bodyRate: 0, outputRate: 0.2, optimizer: 'sgd', schedule: 'constant', examples: 600 };
for await (const event of new Trainer(network, batches, training).run())
  if (event.type === 'finished') console.log(`${event.examples} examples seen`);

for (const question of ['please reset my passwords', 'the parcel is lost', 'do you take cards', 'money back']) {
  const hidden = network.computeHidden({ inputs: createDenseRows(1, width, encode(question)) });
  const { classes } = await topClasses(network.output, hidden, 1);
  console.log(`${question}: answer ${classes[0]}`);
}
