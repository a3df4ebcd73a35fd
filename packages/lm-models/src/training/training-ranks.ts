import type { ModelParameters } from '../parameters.ts';

/**
 * Data-parallel training: each rank of a job has the whole body and its own part of every minibatch. The output layer
 * must be one over the same ranks, whose hidden gradient is that of the mean over all parts. `DataParallel` of
 * `@vastmax/lm-models/distributed` is this.
 */
export interface TrainingRanks {
  readonly rank: number;
  /**
   * Between the backward pass and the update, on every rank in the same order: adds up the gradients of the matrices,
   * gives every table the rows of all ranks, and adds up `numbers` in place. All ranks then hold the same.
   */
  reduce(parameters: ModelParameters, numbers: Float64Array): Promise<void>;
}
