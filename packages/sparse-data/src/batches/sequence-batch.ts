import { singleTargets, type CsrRows } from '../csr/csr-rows.ts';

/**
 * One minibatch of a recurrent network: B streams, T steps. Row t·B + b is step t of stream b. The object and its
 * arrays are reused: they are valid until the next call of next().
 */
export interface SequenceBatch {
  /** T. */
  readonly steps: number;
  /** B. */
  readonly streams: number;
  /** T·B classes: the input of each row. */
  readonly inputs: Int32Array;
  /** T·B; 1 if a new sequence begins at this row: the network resets its state before this input. */
  readonly starts: Uint8Array;
  /** The rows that have a target, ascending; undefined if all T·B rows have one. */
  readonly predicted: Int32Array | undefined;
  /** Number of examples, that is, of rows that have a target. */
  readonly size: number;
  /** One class of weight 1 for each example. */
  readonly targets: CsrRows;
  readonly targetIds: Int32Array;
  readonly epoch: number;
  readonly endOfEpoch: boolean;
}

/** The arrays of a SequenceBatch, filled row by row for each minibatch. */
export class SequenceRows {
  readonly inputs: Int32Array;
  readonly starts: Uint8Array;
  readonly #streams: number;
  readonly #classes: number;
  readonly #predicted: Int32Array;
  readonly #targetIds: Int32Array;
  #size = 0;

  constructor(streams: number, steps: number, classes: number) {
    this.#streams = streams;
    this.#classes = classes;
    this.inputs = new Int32Array(streams * steps);
    this.starts = new Uint8Array(streams * steps);
    this.#predicted = new Int32Array(streams * steps);
    this.#targetIds = new Int32Array(streams * steps);
  }

  /** Removes all targets. */
  clear(): void {
    this.#size = 0;
  }

  /** Adds a target; rows must be in ascending order. */
  predict(row: number, target: number): void {
    this.#predicted[this.#size] = row;
    this.#targetIds[this.#size++] = target;
  }

  /** A minibatch of the first `steps` steps. */
  batch(steps: number, epoch: number, endOfEpoch: boolean): SequenceBatch {
    const streams = this.#streams;
    const size = this.#size;
    const rows = steps * streams;
    const targetIds = this.#targetIds.subarray(0, size);
    return {
      steps,
      streams,
      inputs: this.inputs.subarray(0, rows),
      starts: this.starts.subarray(0, rows),
      predicted: size === rows ? undefined : this.#predicted.subarray(0, size),
      size,
      targets: singleTargets(targetIds, this.#classes),
      targetIds,
      epoch,
      endOfEpoch,
    };
  }
}
