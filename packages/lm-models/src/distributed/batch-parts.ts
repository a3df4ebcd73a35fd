/**
 * A corpus over many ranks: all ranks iterate over the same sequence of minibatches, which the seed determines, and
 * each rank uses a contiguous part of every minibatch. The parts together are the minibatch of one process, whatever
 * the number of ranks, so a run can be resumed on another number of ranks. The cost: every rank holds the encoded
 * corpus (4 bytes per token) and builds the whole minibatch, which copies a few numbers for each example.
 *
 * Rejected: a part of the corpus for each rank. It saves that memory, but then the minibatches, and the position of a
 * resumed run, depend on the number of ranks.
 */
import { CommunicatorError } from '@vastmax/collectives';
import type { ShardPlace } from '@vastmax/distributed-layers';
import {
  SequenceRows,
  singleTargets,
  type CsrRows,
  type NgramBatch,
  type SequenceBatch,
  type SparseBatch,
} from '@vastmax/sparse-data';
import type { BatchPart } from '../bodies/layers.ts';
import type { BatchSource } from '../training/training-types.ts';

/** A rank's part of a minibatch, and which: for masks of dropout. */
export type PartOf<Batch> = Batch & { readonly part: BatchPart };

/** Returns a rank's part of a minibatch; valid until the next call. */
export type BatchSlice<Batch> = (batch: Batch, place: ShardPlace) => Batch;

/** A rank's contiguous part of `total` examples or streams. The sizes of the parts differ by at most one. */
export function ownPart(total: number, { rank, size }: ShardPlace): { readonly first: number; readonly count: number } {
  const first = Math.floor((total * rank) / size);
  return { first, count: Math.floor((total * (rank + 1)) / size) - first };
}

/** This rank's part of each minibatch. The cursor is that of the whole sequence, the same on every rank. */
export class BatchParts<Batch> implements BatchSource<Batch> {
  readonly #whole: BatchSource<Batch>;
  readonly #slice: BatchSlice<Batch>;
  readonly #place: ShardPlace;

  /** @param whole the minibatches of all ranks together, the same on every rank. */
  constructor(whole: BatchSource<Batch>, place: ShardPlace, slice: BatchSlice<Batch>) {
    this.#whole = whole;
    this.#slice = slice;
    this.#place = place;
  }

  /** The examples of all ranks together. */
  get examplesPerEpoch(): number {
    return this.#whole.examplesPerEpoch;
  }

  /** This rank's part of the next minibatch, which may be empty; valid until the next call. */
  async next(): Promise<Batch> {
    return this.#slice(await this.#whole.next(), this.#place);
  }

  cursor(): object {
    return this.#whole.cursor();
  }

  seek(cursor: unknown): void {
    this.#whole.seek(cursor);
  }
}

/** For {@link BatchParts} of NgramBatches. Nothing but the offsets is copied. */
export function sliceNgramBatch(batch: NgramBatch, place: ShardPlace): PartOf<NgramBatch> {
  const { size, contexts, targets, targetIds, epoch, endOfEpoch } = batch;
  const { first, count } = ownPart(size, place);
  const order = size === 0 ? 0 : contexts.length / size;
  const ids = targetIds.subarray(first, first + count);
  return {
    size: count,
    contexts: contexts.subarray(first * order, (first + count) * order),
    targets: singleTargets(ids, targets.columns),
    targetIds: ids,
    epoch,
    endOfEpoch,
    part: { first, total: size },
  };
}

/** For {@link BatchParts} of SparseBatches, SetBatches and WindowBatches. */
export function sliceSparseBatch(batch: SparseBatch, place: ShardPlace): PartOf<SparseBatch> {
  const { inputs, targets, targetIds, examples, epoch, endOfEpoch } = batch;
  const { first, count } = ownPart(batch.size, place);
  const end = first + count;
  return {
    size: count,
    inputs: sliceRows(inputs, first, count),
    targets: sliceRows(targets, first, count),
    targetIds: targetIds?.subarray(first, end),
    examples: examples.subarray(first, end),
    epoch,
    endOfEpoch,
    part: {
      first,
      total: batch.size,
      entries: { first: inputs.offsets[first]!, total: inputs.offsets[batch.size]! },
    },
  };
}

/**
 * For {@link BatchParts} of SequenceBatches: a rank has the same streams in every minibatch, so its model can keep
 * their recurrent state. Each rank needs a slice of its own.
 * @returns a slice that throws CommunicatorError `shape` when there are fewer streams than ranks.
 */
export function createSequenceSlice(): (batch: SequenceBatch, place: ShardPlace) => PartOf<SequenceBatch> {
  let rows: SequenceRows | undefined;
  let longest = 0;
  return ({ steps, streams, inputs, starts, predicted, targets, targetIds, epoch, endOfEpoch }, place) => {
    const { first, count } = ownPart(streams, place);
    if (streams < place.size)
      throw new CommunicatorError(
        'shape',
        `training over ${place.size} ranks: the minibatches have ${streams} streams; each rank needs one at least`,
      );
    if (rows === undefined || steps > longest) {
      longest = steps;
      rows = new SequenceRows(count, steps, targets.columns);
    }
    rows.clear();
    for (let step = 0; step < steps; step++) {
      const from = step * streams + first;
      rows.inputs.set(inputs.subarray(from, from + count), step * count);
      rows.starts.set(starts.subarray(from, from + count), step * count);
    }
    for (const [example, target] of targetIds.entries()) {
      const row = predicted === undefined ? example : predicted[example]!;
      const stream = (row % streams) - first;
      if (stream >= 0 && stream < count) rows.predict(Math.floor(row / streams) * count + stream, target);
    }
    return { ...rows.batch(steps, epoch, endOfEpoch), part: { first, total: streams } };
  };
}

function sliceRows({ columns, offsets, indices, values }: CsrRows, first: number, count: number): CsrRows {
  const begin = offsets[first]!;
  return {
    rows: count,
    columns,
    offsets: Int32Array.from({ length: count + 1 }, (_, row) => offsets[first + row]! - begin),
    indices: indices.subarray(begin),
    values: values?.subarray(begin),
  };
}
