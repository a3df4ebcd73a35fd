/**
 * The models of `bench quality`: a network over the last few words, a recurrent one over all words so far, or a
 * transformer. The first is trained by plain SGD; the others, whose gradients differ by orders of magnitude in the
 * course of a text, by Adam with clipped gradients.
 */
import type { Backend } from '@vastmax/linalg-core';
import {
  createNetwork,
  type Network,
  type SequenceInputs,
  Trainer,
  type CellName,
  type NetworkOptions,
  type OutputLayerChoice,
  type TrainingEvent,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { evaluateRanking, type EvaluationOptions } from '@vastmax/lm-models/metrics';
import { textBody } from '@vastmax/lm-models/text';
import type { OutputLayer } from '@vastmax/output-layer';
import { SequenceBatches } from '@vastmax/sparse-data';
import { batchesOf, type QualityCorpus, type TextPart } from './corpus.ts';

export interface BodySizes {
  readonly order: number;
  readonly embedding: number;
  readonly hidden: readonly number[];
  /** A model over sequences, for which the order counts nothing; a network over the last words unless given. */
  readonly sequences?: { readonly model: SequenceModelName; readonly steps: number; readonly bodyRate: number };
}

export type SequenceModelName = CellName | 'transformer';
type SequenceModelOptions = NetworkOptions<'recurrent' | 'transformer'> & { readonly steps: number };
export type QualityModelOptions = NetworkOptions<'ngram'> | SequenceModelOptions;

export interface QualityModel extends Disposable {
  readonly output: OutputLayer;
  createTrainer(
    training: Pick<TrainingOptions, 'bodyRate' | 'outputRate' | 'examples' | 'maximumSeconds'>,
  ): QualityTrainer;
  /** Of the first words of a sample that is always the same. */
  rankHeldOut(limit: number, options: Pick<EvaluationOptions, 'onExample' | 'onProgress'>): Promise<unknown>;
}

export interface QualityTrainer extends Disposable {
  readonly examples: number;
  run(): AsyncIterable<TrainingEvent>;
}

/** Streams that held-out words are read in by a model over sequences, and the steps of a recurrent one. */
const evaluationStreams = 20;
const evaluationSteps = 50;
const adamTraining = { optimizer: 'adam', schedule: 'linear' } as const;
/** As vastmax train has them. */
const trainingByBody = {
  recurrent: { ...adamTraining, clipNorm: 5 },
  transformer: { ...adamTraining, clipNorm: 1, scheduleOptions: { warmup: 0.05 } },
} as const;

export function qualityModelOptions(
  { order, embedding, hidden, sequences }: BodySizes,
  output: OutputLayerChoice,
  seed: number,
): QualityModelOptions {
  if (sequences === undefined)
    return { body: { kind: 'ngram', order, embedding, hidden, seed }, output: { ...output, seed } };
  const { model, steps } = sequences;
  const body = textBody(model, { embedding, hidden, steps, seed });
  return { body: body as SequenceModelOptions['body'], output: { ...output, seed }, steps };
}

/** @param batch examples of a minibatch. */
export async function createQualityModel(
  backend: Backend,
  corpus: QualityCorpus,
  options: QualityModelOptions,
  batch: number,
  seed: number,
): Promise<QualityModel> {
  return 'steps' in options
    ? createSequenceModel(backend, corpus, options, batch)
    : createNgramModel(backend, corpus, options, batch, seed);
}

async function createNgramModel(
  backend: Backend,
  corpus: QualityCorpus,
  options: NetworkOptions<'ngram'>,
  batchSize: number,
  seed: number,
): Promise<QualityModel> {
  const model = await createNetwork(
    backend,
    { inputs: corpus.vocabulary.size, frequencies: corpus.vocabulary.counts },
    options,
  );
  const { order } = options.body;
  return {
    output: model.output,
    createTrainer: (training) =>
      new Trainer(model, batchesOf(corpus, corpus.training, { order, batchSize, seed }), {
        ...training,
        optimizer: 'sgd',
        schedule: 'linear',
      }),
    rankHeldOut: (limit, evaluation) =>
      evaluateRanking(model, batchesOf(corpus, corpus.heldOut, { order, batchSize, seed: 0 }), {
        ...evaluation,
        limit,
      }),
    [Symbol.dispose]: () => {
      model[Symbol.dispose]();
    },
  };
}

async function createSequenceModel(
  backend: Backend,
  corpus: QualityCorpus,
  options: SequenceModelOptions,
  batch: number,
): Promise<QualityModel> {
  const { vocabulary, paddingId, training, heldOut } = corpus;
  const { steps } = options;
  const { kind } = options.body;
  const network = (await createNetwork(
    backend,
    { inputs: vocabulary.size, frequencies: vocabulary.counts },
    { body: options.body, output: options.output },
  )) as Network<SequenceInputs>;
  const streamsOf = (part: TextPart, streams: number, length: number, context = 0): SequenceBatches =>
    new SequenceBatches({
      ...part,
      classes: vocabulary.size,
      streams: Math.max(1, Math.min(part.last - part.first, streams)),
      steps: length,
      context,
      paddingId,
    });
  // A transformer sees at least half of its words before each word, as in `vastmax evaluate`.
  const half = Math.ceil(steps / 2);
  const heldOutBatches =
    kind === 'recurrent'
      ? streamsOf(heldOut, evaluationStreams, evaluationSteps)
      : streamsOf(heldOut, evaluationStreams, half, steps - half);
  return {
    output: network.output,
    createTrainer: (rates) =>
      new Trainer(network, streamsOf(training, Math.round(batch / steps), steps), {
        ...rates,
        ...trainingByBody[kind],
      }),
    rankHeldOut: (limit, evaluation) => evaluateRanking(network, heldOutBatches, { ...evaluation, limit }),
    [Symbol.dispose]: () => {
      network[Symbol.dispose]();
    },
  };
}
