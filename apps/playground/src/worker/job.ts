/** What is trained on: minibatches, examples that are held out, and the network below an output layer. */
import type { Backend } from '@vastmax/linalg-core';
import type { Network, OutputLayerChoice, BatchSource, TrainingBatch, Body } from '@vastmax/lm-models';
import type { RankingMetrics } from '@vastmax/lm-models/metrics';
import type { TextModel, TextReading } from '@vastmax/lm-models/text';
import type { RunSettings } from '../messages.ts';

/** A model of words, and how its text is read. */
export interface WordModel {
  readonly model: TextModel;
  readonly reading: TextReading;
}

/** One network, with what it is trained on. */
export interface JobModel extends Disposable {
  readonly network: Network<TrainingBatch, Body<TrainingBatch>>;
  readonly batches: BatchSource<TrainingBatch>;
  /** Ranks of held-out examples, at most `limit` of them. */
  evaluate(limit: number): Promise<RankingMetrics>;
  /** Where the classes are words. */
  readonly words?: WordModel;
}

export interface Job {
  readonly title: string;
  readonly classes: number;
  createModel(backend: Backend, settings: RunSettings, output: OutputLayerChoice): Promise<JobModel>;
}
