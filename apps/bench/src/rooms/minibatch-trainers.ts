/**
 * Trainers whose minibatches are counted: the n-gram model of a small text on the plain backend, as a user of lm-models
 * makes it, with the factored layer, the hybrid one, and the factored one over the ranks of a job that has one rank.
 */
import { createSingleCommunicator } from '@vastmax/collectives';
import { createPlainBackend } from '@vastmax/linalg-core';
import { createNetwork, Trainer, trainingDefaults, type NetworkOptions, type TrainingEvent } from '@vastmax/lm-models';
import { BatchParts, createDistributedOutput, DataParallel, sliceNgramBatch } from '@vastmax/lm-models/distributed';
import { countTokens, encodeTokens, NgramBatches, whitespaceTokens } from '@vastmax/sparse-data';

export const minibatchNames = ['factored', 'hybrid', 'distributed'] as const;
export type MinibatchName = (typeof minibatchNames)[number];

export interface CountedTrainer {
  run(): AsyncIterable<TrainingEvent>;
}

/** Fewer than the width of the hidden layer, as the factored layer is meant to be used. */
const batchSize = 16;
const body = { kind: 'ngram', order: 4, embedding: 8, hidden: [32] } as const;
const loss = 'z-loss';
const training = { bodyRate: 1, outputRate: 0.5, optimizer: 'sgd', schedule: 'linear', examples: 1e6 } as const;

/** @param onBatch called whenever the trainer asks for a minibatch. */
export async function createCountedTrainer(
  name: MinibatchName,
  text: readonly string[],
  onBatch: () => void,
): Promise<CountedTrainer> {
  const backend = createPlainBackend();
  const reading = { tokenize: whitespaceTokens, endOfLine: '<eos>' };
  const vocabulary = (await countTokens(text, reading)).build();
  const tokens = await encodeTokens(text, vocabulary, reading);
  const { order } = body;
  const batches = new NgramBatches({ tokens, classes: vocabulary.size, order, batchSize, paddingId: 0, seed: 1 });
  const next = batches.next.bind(batches);
  Object.assign(batches, {
    next: () => {
      onBatch();
      return next();
    },
  });
  const sizes = { inputs: vocabulary.size, frequencies: vocabulary.counts };
  if (name === 'distributed') {
    const communicator = createSingleCommunicator();
    const output = createDistributedOutput(communicator);
    const network = await createNetwork(backend, sizes, networkOptions(name), output);
    const parts = new BatchParts(batches, communicator, sliceNgramBatch);
    return new Trainer(network, parts, training, { ranks: new DataParallel(communicator, backend) });
  }
  return new Trainer(await createNetwork(backend, sizes, networkOptions(name)), batches, training);
}

function networkOptions(name: MinibatchName): NetworkOptions<'ngram'> {
  const { lossOptions, initialScale } = trainingDefaults(name === 'hybrid' ? 'hybrid' : loss);
  return {
    body,
    output:
      name === 'hybrid'
        ? { kind: 'hybrid', headSize: 20, initialScale, seed: 1 }
        : { kind: 'factored', loss: { name: loss, options: lossOptions }, initialScale, seed: 1 },
  };
}
