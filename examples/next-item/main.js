// The next item of a session, out of 50,000, by the one before it.
import { createPlainBackend } from '@vastmax/linalg-core';
import { bagModelShape, createNetwork, topClasses, Trainer } from '@vastmax/lm-models';
import { columnCounts, csrFromLists, RandomGenerator, WindowBatches } from '@vastmax/sparse-data';

// Sessions walk through the catalogue: after item i comes 7i + 3, most of the time.
const items = 50_000;
const random = new RandomGenerator(1);
const followOf = (item) => (7 * item + 3) % 400;
const sessions = csrFromLists(
  Array.from({ length: 1000 }, () => {
    const session = [random.integer(400)];
    while (session.length < 8) session.push(random.uniform() < 0.9 ? followOf(session.at(-1)) : random.integer(400));
    return session;
  }),
  items,
);

const network = await createNetwork(
  createPlainBackend(),
  { inputs: items, frequencies: columnCounts(sessions) },
  {
    body: { kind: 'bag', embedding: 32, ...bagModelShape('next-item') },
    output: { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.1, seed: 1 },
  },
);
const batches = new WindowBatches({
  tokens: sessions.indices,
  segments: sessions.offsets,
  classes: items,
  before: 1,
  after: 0,
  predict: 'centre',
  batchSize: 32,
  seed: 1,
});
const training = { bodyRate: 0.01, outputRate: 1, optimizer: 'adam', schedule: 'linear', examples: 30_000 };
for await (const event of new Trainer(network, batches, training).run())
  if (event.type === 'finished') console.log(`${event.examples} examples seen`);

const hidden = await network.computePromptHidden([[10], [20], [30]], {});
const { classes } = await topClasses(network.output, hidden, 1);
console.log(`after 10, 20 and 30 come ${[...classes].join(', ')}; right are ${[10, 20, 30].map(followOf).join(', ')}`);
