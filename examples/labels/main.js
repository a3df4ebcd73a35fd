// Labels of documents: bags of words in, several of very many labels out.
import { createPlainBackend } from '@vastmax/linalg-core';
import { bagModelShape, createNetwork, Trainer } from '@vastmax/lm-models';
import { classifierTraining } from '@vastmax/lm-models/labels';
import { evaluateMultiLabel } from '@vastmax/lm-models/metrics';
import { columnCounts, csrFromLists, RandomGenerator, SparseBatches } from '@vastmax/sparse-data';

// A thousand documents of 30 topics. Of its ten words half are any, the others of its topic, which has two labels.
const [documents, topics, words, labels] = [1000, 30, 300, 100_000];
const random = new RandomGenerator(1);
const topicOf = Array.from({ length: documents }, () => random.integer(topics));
const bags = topicOf.map((topic) =>
  Array.from({ length: 10 }, (_, i) => (i < 5 ? random.integer(words) : 10 * topic + random.integer(10))),
);
const inputs = csrFromLists(bags, words);
const targets = csrFromLists(
  topicOf.map((topic) => [999 * topic, 999 * topic + 1]),
  labels,
);

const network = await createNetwork(
  createPlainBackend(),
  { inputs: words, frequencies: columnCounts(targets) },
  {
    body: { kind: 'bag', embedding: 64, ...bagModelShape('classifier') },
    output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.01, seed: 1 },
  },
);
const batches = new SparseBatches({ inputs, targets, batchSize: 20, targetWeights: 'shares', seed: 1 });
// Rates that suit labels: each word occurs 10 · 10,000 / 300 times in the run.
const { outputRate, bodyRate, optimizer } = classifierTraining('z-loss', { updates: 330 });
const training = { bodyRate, outputRate, optimizer, schedule: 'linear', examples: 10 * documents };
const trainer = new Trainer(network, batches, training);
for await (const event of trainer.run()) if (event.type === 'finished') console.log(`${event.examples} examples seen`);

const test = new SparseBatches({ inputs, targets, batchSize: 20, shuffle: false });
const { atK } = await evaluateMultiLabel(network, test, { ks: [1, 2] });
for (const { k, precision } of atK) console.log(`precision at ${k}: ${(100 * precision).toFixed(0)} %`);
