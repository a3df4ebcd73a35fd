/** A small model on a text of random words, trained by one process or by one rank of several. */
import type { Communicator } from '@vastmax/collectives';
import { gatherStreams } from '@vastmax/lm-models/distributed';
import { createPlainBackend, read, writeRows } from '@vastmax/linalg-core';
import type { TrainingOptions } from '@vastmax/lm-models';
import { RandomGenerator, Vocabulary } from '@vastmax/sparse-data';
import { createDistribution } from '../../../src/distributed/distribution.ts';
import type { ExampleSettings, TextModelOptions } from '../../../src/text-model.ts';
import { createTextModel } from '../../../src/text-models.ts';

export interface SmallTraining {
  readonly examples: ExampleSettings;
  readonly model: TextModelOptions;
  readonly training: TrainingOptions;
  readonly batchSize: number;
  /** Put other numbers into an embedding of rank 1 at the first report. */
  readonly spoil?: true;
}

export interface TrainedModel {
  /** Everything of the body, digit for digit. */
  readonly body: readonly number[];
  /** D×features. */
  readonly classVectors: readonly number[];
  /** Mean losses of all reports. */
  readonly losses: readonly number[];
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
  { examples, model: options, training, batchSize, spoil }: SmallTraining,
): Promise<TrainedModel> {
  const backend = createPlainBackend({ precision: 'f64' });
  const { tokens, vocabulary } = createText();
  const drifts: number[] = [];
  using distribution =
    communicator === undefined
      ? undefined
      : createDistribution(communicator, backend, {
          checkEvery: 7,
          onReplicaDrift: ({ step }) => {
            drifts.push(step);
          },
        });
  using model = await createTextModel(backend, vocabulary, examples, options, distribution);
  using trainer = model.prepare({ tokens, paddingId: 0 }, { batchSize, seed: 3 }).createTrainer(training);
  const losses: number[] = [];
  for await (const event of trainer.run()) {
    if (event.type !== 'progress') continue;
    losses.push(event.loss);
    if (spoil === true && communicator?.rank === 1 && losses.length === 1)
      writeRows(new Float64Array(model.embeddings.table.columns), 1, model.embeddings.table);
  }
  const { configuration, modules } = trainer.snapshot();
  const body: number[] = [];
  const own = modules['body'] ?? { configuration: {}, tensors: [] };
  const { tensors } = communicator === undefined ? own : await gatherStreams(communicator, own);
  for (const { rows, read: readRows } of tensors) body.push(...(await readRows(0, rows)));
  using vectors = backend.createMatrix(vocabulary.size, model.output.features);
  model.output.classVectors(0, vectors);
  return {
    body,
    classVectors: Array.from(await read(vectors)),
    losses,
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
