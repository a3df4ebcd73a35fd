/**
 * What goes into training and what comes out of it: minibatches, options, the other ranks of a job, events, snapshots.
 */
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import type { CsrRows } from '@vastmax/sparse-data';
import type { ModelParameters } from '../bodies/layers.ts';
import type { ScheduleOptions } from './optimizer.ts';

/** What the trainer needs of a minibatch, whatever its inputs. */
export interface TrainingBatch {
  /** m, the number of examples. */
  readonly size: number;
  /** m rows. */
  readonly targets: CsrRows;
  readonly epoch: number;
  readonly endOfEpoch: boolean;
}

/** An endless sequence of minibatches that can be saved and resumed; NgramBatches and the like. */
export interface BatchSource<Batch> {
  readonly examplesPerEpoch: number;
  /** Valid until the next call. */
  next(): Batch | Promise<Batch>;
  /** Plain JSON. */
  cursor(): object;
  seek(cursor: unknown): void;
}

/** What an evaluation needs of a source of minibatches: one epoch of them. */
export type EvaluationBatches<Batch extends TrainingBatch> = Pick<BatchSource<Batch>, 'examplesPerEpoch' | 'next'>;

/** Rates, schedule, length and regularisation of a training. */
export interface TrainingOptions {
  /** Rate of the body's optimiser, at schedule factor 1, on the mean loss. */
  readonly bodyRate: number;
  /** Rate of the output layer's own update. */
  readonly outputRate: number;
  /** Name of the body's update rule. */
  readonly optimizer: string;
  readonly optimizerOptions?: Readonly<Record<string, number>>;
  /** The body's gradients are scaled down to this norm, all together; not at all unless given. */
  readonly clipNorm?: number;
  /** λ of the body's decoupled weight decay; 0 unless given. */
  readonly weightDecay?: number;
  readonly schedule: string;
  readonly scheduleOptions?: ScheduleOptions;
  /** Examples in all; the schedule ends there. */
  readonly examples: number;
  /**
   * Stop after so many seconds of training at the latest; the schedule then runs by time. Resumed training has them
   * anew.
   */
  readonly maximumSeconds?: number;
}

/**
 * Data-parallel training: each rank of a job has the whole body and its own part of every minibatch. The output layer
 * must be one over the same ranks, whose hidden gradient is that of the mean over all parts. `DataParallel` of
 * `@vastmax/lm-models/distributed` is this.
 */
export interface TrainingRanks {
  readonly rank: number;
  /**
   * Before the first step of a run, on every rank.
   * @throws an error on every rank when the ranks are about to train different models, or the same one differently.
   */
  begin(snapshot: TrainingSnapshot): Promise<void>;
  /**
   * Between the backward pass and the update, on every rank in the same order: adds up the gradients of the matrices,
   * gives every table the rows of all ranks, and adds up `numbers` in place. All ranks then hold the same.
   */
  reduce(parameters: ModelParameters, numbers: Float64Array): Promise<void>;
}

/** Where training stands: examples, mean loss since the last event, and speed. */
export interface TrainingProgress {
  readonly type: 'progress';
  readonly step: number;
  readonly examples: number;
  readonly totalExamples: number;
  /** Mean loss since the last progress event. */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Seconds of training in this run, evaluations and checkpoints left out. */
  readonly seconds: number;
  /** Share of the training that is done, in [0, 1]. */
  readonly progress: number;
  readonly bodyRate: number;
  readonly outputRate: number;
}

/** What `run()` of a trainer gives: progress, ends of epochs, and the end. */
export type TrainingEvent =
  | TrainingProgress
  | { readonly type: 'epoch'; readonly epoch: number; readonly step: number }
  | { readonly type: 'interrupted'; readonly step: number; readonly examples: number }
  | { readonly type: 'finished'; readonly step: number; readonly examples: number; readonly seconds: number };

/** Everything that a training needs to go on as if it had not stopped; content for `writeCheckpoint`. */
export interface TrainingSnapshot {
  readonly configuration: JsonObject;
  readonly modules: Readonly<Record<string, ModuleState>>;
}
