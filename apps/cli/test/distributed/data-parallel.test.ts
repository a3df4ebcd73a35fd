/**
 * A whole model over several ranks is the model of one process: body, output layer, reports and where it stands in the
 * text.
 */
import { createSingleCommunicator, startThreadRanks } from '@vastmax/collectives';
import { bundleProgram } from '@vastmax/test-programs';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { expect, it } from 'vitest';
import { trainAll, trainSmallModel, type SmallTraining, type TrainedModel } from './programs/small-training.ts';

const output: SmallTraining['model']['output'] = {
  kind: 'factored',
  loss: { name: 'spherical-softmax', options: { epsilon: 1 } },
  initialScale: 0.1,
  seed: 2,
};
const ngram: Pick<SmallTraining, 'examples' | 'model'> = {
  examples: { model: 'ngram' },
  model: { body: { kind: 'ngram', order: 2, embedding: 5, hidden: [7, 6], seed: 1 }, output },
};
const bag: Pick<SmallTraining, 'examples' | 'model'> = {
  examples: { model: 'cbow', window: 2 },
  model: { body: { kind: 'bag', embedding: 6, hidden: [5], seed: 1 }, output },
};

/** Of the activations, and of the inputs of a bag. */
function withDropout({ examples, model }: typeof ngram): typeof ngram {
  const { body, output: layer } = model;
  const inputs = body.kind === 'bag' ? { inputDropout: 0.2 } : {};
  return { examples, model: { body: { ...body, ...inputs, dropout: 0.3 } as typeof body, output: layer } };
}

/**
 * 31 is no multiple of 2 or 3; every epoch of 700 ends with a minibatch of 18; the last of all has one example, so that
 * ranks are without.
 */
const batchSize = 31;
const base = { schedule: 'linear', bodyRate: 0.5, outputRate: 0.5, examples: 220 * batchSize } as const;
const runs: readonly (readonly [name: string, training: SmallTraining])[] = [
  [
    'an n-gram model by SGD with dropout',
    { ...withDropout(ngram), batchSize, training: { ...base, optimizer: 'sgd' } },
  ],
  [
    'an n-gram model by Adam, clipped and decayed',
    { ...ngram, batchSize, training: { ...base, optimizer: 'adam', bodyRate: 0.01, clipNorm: 0.05, weightDecay: 0.1 } },
  ],
  [
    'a bag by momentum with dropout',
    { ...withDropout(bag), batchSize, training: { ...base, optimizer: 'momentum', bodyRate: 0.05 } },
  ],
  [
    'an n-gram model with the full softmax',
    {
      examples: ngram.examples,
      model: {
        body: { kind: 'ngram', order: 2, embedding: 5, hidden: [7, 6], seed: 1 },
        output: { kind: 'full', initialScale: 0.1, seed: 2 },
      },
      batchSize,
      training: { ...base, optimizer: 'sgd' },
    },
  ],
  // Three streams: an epoch ends with one target, so that ranks have streams and no example.
  [
    'an LSTM by SGD with dropout',
    {
      examples: { model: 'lstm', steps: 5 },
      model: { body: { kind: 'recurrent', cell: 'lstm', embedding: 5, hidden: [6, 4], dropout: 0.3, seed: 1 }, output },
      batchSize: 15,
      training: { ...base, optimizer: 'sgd', examples: 3000 },
    },
  ],
  [
    'a GRU by Adam',
    {
      examples: { model: 'gru', steps: 7 },
      model: { body: { kind: 'recurrent', cell: 'gru', embedding: 5, hidden: [6], seed: 1 }, output },
      batchSize: 35,
      training: { ...base, optimizer: 'adam', bodyRate: 0.01, examples: 3000 },
    },
  ],
  [
    'a transformer by SGD with dropout',
    {
      examples: { model: 'transformer', steps: 5 },
      model: {
        body: { kind: 'transformer', embedding: 8, layers: 1, heads: 2, context: 5, dropout: 0.3, seed: 1 },
        output,
      },
      batchSize: 15,
      training: { ...base, optimizer: 'sgd', bodyRate: 0.05, examples: 1500 },
    },
  ],
  [
    'minibatches smaller than the ranks',
    { ...ngram, batchSize: 2, training: { ...base, optimizer: 'sgd', examples: 240 } },
  ],
];

const expected = new Map<string, Promise<TrainedModel>>();
function trainAlone(name: string, training: SmallTraining): Promise<TrainedModel> {
  const known = expected.get(name) ?? trainSmallModel(undefined, training);
  expected.set(name, known);
  return known;
}

const cases = [1, 2, 3].flatMap((size) => runs.map(([name, training]) => [size, name, training] as const));
it.each(cases)('on %i ranks %s is that of one process', async (size, name, training) => {
  const answers =
    size === 1 ? [await trainAll(createSingleCommunicator(), [training])] : await trainOnThreads(size, [training]);
  const alone = await trainAlone(name, training);
  expect(alone.lossSum).toBeGreaterThan(0);
  const [[first] = []] = answers;
  for (const [rank, [answer]] of answers.entries()) {
    const what = `rank ${rank} of ${size}`;
    expect(relativeError(answer?.body ?? [], alone.body), what).toBeLessThan(1e-9);
    expect(relativeError(answer?.classVectors ?? [], alone.classVectors), what).toBeLessThan(1e-9);
    expect(relativeError([answer?.lossSum ?? 0], [alone.lossSum]), what).toBeLessThan(1e-9);
    expect(answer?.examples, what).toBe(alone.examples);
    expect(answer?.cursor, what).toEqual(alone.cursor);
    expect(answer?.drifts, what).toEqual([]);
    // Replicas are equal to the last bit.
    expect(answer?.body, what).toEqual(first?.body);
    expect(answer?.lossSum, what).toBe(first?.lossSum);
  }
});

const [[, smallTraining] = []] = runs;

it('a replica that was spoilt is found, and mended where that was asked for', async () => {
  if (smallTraining === undefined) throw new Error('there must be a run');
  const answers = await trainOnThreads(2, [{ ...smallTraining, spoil: 'report' }]);
  const [[first] = [], [second] = []] = answers;
  expect(first?.drifts.length).toBeGreaterThan(0);
  expect(second?.drifts).toEqual(first?.drifts);
  expect(second?.body).toEqual(first?.body);
});

it.each([
  [
    'a replica that was spoilt',
    { spoil: 'report', refusesDrift: true },
    /training, step \d+: the body's weights of rank 1 differ from those of rank 0, though all began with the same$/,
  ],
  [
    'another start of one rank',
    { spoil: 'start' },
    /training: the ranks differ: the checksum of body\.embeddings is \d+ on rank 0 and \d+ on rank 1; all ranks must be given the same$/,
  ],
  [
    'another rate of one rank',
    { otherRate: 0.25 },
    /training: the ranks differ: training\.bodyRate is 0\.5 on rank 0 and 0\.25 on rank 1; all ranks must be given the same$/,
  ],
] as const)('%s is an error', async (_what, changes, words) => {
  if (smallTraining === undefined) throw new Error('there must be a run');
  await expect(trainOnThreads(2, [{ ...smallTraining, ...changes }])).rejects.toThrow(words);
});

/** What each rank answers. */
async function trainOnThreads(size: number, data: readonly SmallTraining[]): Promise<TrainedModel[][]> {
  const module = await bundleProgram(new URL('./programs/train-rank.ts', import.meta.url));
  return (await startThreadRanks({ size, module, data })) as TrainedModel[][];
}
