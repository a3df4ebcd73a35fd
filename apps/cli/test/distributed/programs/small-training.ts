/** A small model on a text of random words, trained by one process or by one rank of several. */
import type { Communicator } from '@vastmax/collectives';
import { gatherStreams } from '@vastmax/lm-models/distributed';
import { createPlainBackend, read, writeRows } from '@vastmax/linalg-core';
import { Trainer, type NetworkOptions, type TrainingOptions } from '@vastmax/lm-models';
import { createTextModel, type ExampleSettings } from '@vastmax/lm-models/text';
import { RandomGenerator, Vocabulary } from '@vastmax/sparse-data';
import { createDistribution } from '../../../src/run/distribution.ts';

export interface SmallTraining {
  readonly examples: ExampleSettings;
  readonly model: NetworkOptions;
  readonly training: TrainingOptions;
  readonly batchSize: number;
  /** Put other numbers into an embedding of rank 1: before the first step, or at the first report. */
  readonly spoil?: 'start' | 'report';
  /** Whether replicas that differ are an error; otherwise they are repaired. */
  readonly refusesDrift?: true;
  /** Another body rate on rank 1. */
  readonly otherRate?: number;
}

export interface TrainedModel {
  /** Everything of the body, digit for digit. */
  readonly body: readonly number[];
  /** D×features. */
  readonly classVectors: readonly number[];
  /** Of all examples together: when reports come depends on the clock. */
  readonly lossSum: number;
  readonly examples: number;
  readonly cursor: unknown;
  /** Steps at which replicas had to be mended. */
  readonly drifts: readonly number[];
}

const words = 23;

function createText(): { readonly tokens: Int32Array; readonly vocabulary: Vocabulary } {
  const random = new RandomGenerator(5);
  const tokens = new Int32Array(700);
  for (let i = 1; i < tokens.length; i++)
    tokens[i] = random.uniform() < 0.3 ? random.integer(words) : (3 * tokens[i - 1]! + 1) % words;
  // They need not be those of this text, but must fall.
  const counts = Float64Array.from({ length: words }, (_, word) => 2 * (words - word));
  return { tokens, vocabulary: new Vocabulary({ tokens: Array.from(counts, (_, word) => `w${word}`), counts }) };
}

/** @param communicator undefined for one process that knows of no ranks. */
export async function trainSmallModel(
  communicator: Communicator | undefined,
  { examples, model: options, training, batchSize, spoil, refusesDrift, otherRate }: SmallTraining,
): Promise<TrainedModel> {
  const backend = createPlainBackend({ precision: 'f64' });
  const { tokens, vocabulary } = createText();
  const drifts: number[] = [];
  using distribution =
    communicator === undefined
      ? undefined
      : createDistribution(communicator, backend, {
          checkEvery: 7,
          ...(refusesDrift === true
            ? {}
            : {
                onReplicaDrift: ({ step }) => {
                  drifts.push(step);
                },
              }),
        });
  using model = await createTextModel(backend, vocabulary, examples, options, distribution?.createOutput);
  const { network } = model;
  const { batches } = model.trainingBatches({ tokens, paddingId: 0 }, { batchSize, seed: 3 });
  const isOther = communicator?.rank === 1;
  using trainer = new Trainer(
    network,
    distribution?.partsOf(batches) ?? batches,
    isOther && otherRate !== undefined ? { ...training, bodyRate: otherRate } : training,
    distribution,
  );
  const { table } = network.body.embeddings;
  const spoilEmbedding = (): void => {
    if (isOther) writeRows(new Float64Array(table.columns), 1, table);
  };
  if (spoil === 'start') spoilEmbedding();
  let lossSum = 0;
  let reported = 0;
  for await (const event of trainer.run()) {
    if (event.type !== 'progress') continue;
    const isFirst = reported === 0;
    lossSum += event.loss * (event.examples - reported);
    reported = event.examples;
    if (spoil === 'report' && isFirst) spoilEmbedding();
  }
  const { configuration, modules } = trainer.snapshot();
  const body: number[] = [];
  const own = modules['body'] ?? { configuration: {}, tensors: [] };
  const { tensors } = communicator === undefined ? own : await gatherStreams(communicator, own);
  for (const { rows, read: readRows } of tensors) body.push(...(await readRows(0, rows)));
  using vectors = backend.createMatrix(vocabulary.size, network.output.features);
  network.output.classVectors(0, vectors);
  return {
    body,
    classVectors: Array.from(await read(vectors)),
    lossSum,
    examples: trainer.examples,
    cursor: configuration['cursor'],
    drifts,
  };
}

export async function trainAll(
  communicator: Communicator,
  trainings: readonly SmallTraining[],
): Promise<TrainedModel[]> {
  const models: TrainedModel[] = [];
  for (const training of trainings) models.push(await trainSmallModel(communicator, training));
  return models;
}
