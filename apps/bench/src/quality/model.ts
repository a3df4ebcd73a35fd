/**
 * The models of `bench quality`: a network over the last few words, or a recurrent one over all words so far. The
 * former is trained by plain SGD; the latter, whose gradients differ by orders of magnitude in the course of a text, by
 * Adam with gradients of a norm of at most 5.
 */
import type { Backend } from '@vastmax/linalg-core';
import {
  createNetwork,
  Trainer,
  type CellName,
  type NetworkOptions,
  type OutputLayerChoice,
  type TrainingEvent,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { evaluateRanking, type EvaluationOptions } from '@vastmax/lm-models/metrics';
import type { OutputLayer } from '@vastmax/output-layer';
import { SequenceBatches } from '@vastmax/sparse-data';
import { batchesOf, type QualityCorpus, type TextPart } from './corpus.ts';

export interface BodySizes {
  readonly order: number;
  readonly embedding: number;
  readonly hidden: readonly number[];
  /** A recurrent model, for which the order counts nothing; a network over the last words unless given. */
  readonly recurrent?: { readonly cell: CellName; readonly steps: number; readonly bodyRate: number };
}

export type QualityModelOptions = NetworkOptions<'ngram'> | (NetworkOptions<'recurrent'> & { readonly steps: number });

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

/** Streams that held-out words are read in by a recurrent model, and its steps. */
const evaluationStreams = 20;
const evaluationSteps = 50;
const recurrentTraining = { optimizer: 'adam', clipNorm: 5, schedule: 'linear' } as const;

export function qualityModelOptions(
  { order, embedding, hidden, recurrent }: BodySizes,
  output: OutputLayerChoice,
  seed: number,
): QualityModelOptions {
  if (recurrent === undefined)
    return { body: { kind: 'ngram', order, embedding, hidden, seed }, output: { ...output, seed } };
  const { cell, steps } = recurrent;
  return { body: { kind: 'recurrent', cell, embedding, hidden, seed }, output: { ...output, seed }, steps };
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
    ? createRecurrentModel(backend, corpus, options, batch)
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

async function createRecurrentModel(
  backend: Backend,
  corpus: QualityCorpus,
  options: NetworkOptions<'recurrent'> & { readonly steps: number },
  batch: number,
): Promise<QualityModel> {
  const { vocabulary, paddingId, training, heldOut } = corpus;
  const { steps } = options;
  const network = await createNetwork(
    backend,
    { inputs: vocabulary.size, frequencies: vocabulary.counts },
    { body: options.body, output: options.output },
  );
  const streamsOf = (part: TextPart, streams: number, length: number): SequenceBatches =>
    new SequenceBatches({
      ...part,
      classes: vocabulary.size,
      streams: Math.max(1, Math.min(part.last - part.first, streams)),
      steps: length,
      paddingId,
    });
  return {
    output: network.output,
    createTrainer: (rates) =>
      new Trainer(network, streamsOf(training, Math.round(batch / steps), steps), { ...rates, ...recurrentTraining }),
    rankHeldOut: (limit, evaluation) =>
      evaluateRanking(network, streamsOf(heldOut, evaluationStreams, evaluationSteps), { ...evaluation, limit }),
    [Symbol.dispose]: () => {
      network[Symbol.dispose]();
    },
  };
}
