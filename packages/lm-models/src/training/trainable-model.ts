/** What the trainer and the evaluations need to know of a model and of where its minibatches come from. */
import type { Tape, Variable } from '@vastmax/autodiff';
import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { ModelParameters } from '../parameters.ts';

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

/** The minibatches of a source. */
export type BatchOf<Batches extends BatchSource<TrainingBatch>> = EvaluatedBatch<Batches>;

export interface TrainableModel<Batch> {
  readonly backend: Backend;
  /** Plain JSON that describes the model in a checkpoint. */
  readonly options: object;
  readonly output: OutputLayer;
  readonly body: { readonly parameters: ModelParameters; restore(state: ModuleState): Promise<void> };
  /** The activations that the output layer sees, m×features, on the tape. */
  forward(tape: Tape, batch: Batch, options?: { readonly training?: boolean }): Variable;
  /** The same without training; valid until the next call. */
  computeBatchHidden(batch: Batch): Matrix;
  /** The parts of a checkpoint. */
  modules(): Readonly<Record<string, ModuleState>>;
}

/** What an evaluation needs of a source of minibatches: one epoch of them. */
export type EvaluationBatches<Batch extends TrainingBatch = TrainingBatch> = Pick<
  BatchSource<Batch>,
  'examplesPerEpoch' | 'next'
>;
export type EvaluatedBatch<Batches extends EvaluationBatches> =
  Batches extends EvaluationBatches<infer Batch extends TrainingBatch> ? Batch : never;
/** What an evaluation needs of a model. */
export type EvaluatedModel<Batch> = Pick<TrainableModel<Batch>, 'output' | 'computeBatchHidden'>;
