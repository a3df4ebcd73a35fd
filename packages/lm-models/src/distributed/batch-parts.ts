/**
 * A corpus over many ranks: all go through the one sequence of minibatches that the seed determines, and each rank
 * takes its part of every minibatch, neighbours staying together. So the union of the parts is the minibatch that one
 * process would train on, whatever the number of ranks, and a run resumes on another number of ranks where it was. The
 * price: every rank has the encoded corpus (4 bytes a token) and makes the whole minibatch, which is copying a few
 * numbers an example.
 *
 * Rejected: a stretch of the corpus for each rank. It saves that memory, but what is trained then depends on the number
 * of ranks, and so does where a resumed run is.
 */
import {
  SequenceRows,
  singleTargets,
  type CsrRows,
  type NgramBatch,
  type SequenceBatch,
  type SparseBatch,
} from '@vastmax/sparse-data';
import type { ShardPlace } from '@vastmax/distributed-layers';

/** Minibatches of all ranks together: NgramBatches, SparseBatches and their like. */
export interface UnionBatches<Batch> {
  readonly examplesPerEpoch: number;
  next(): Batch | Promise<Batch>;
  cursor(): object;
  seek(cursor: unknown): void;
}

/** Cuts a rank's part out of a minibatch, which is valid until the next call. */
export type BatchSlice<Batch> = (batch: Batch, place: ShardPlace) => Batch;

/** A rank's part of `total` examples or streams in a row: even, but for one. */
export function ownPart(total: number, { rank, size }: ShardPlace): { readonly first: number; readonly count: number } {
  const first = Math.floor((total * rank) / size);
  return { first, count: Math.floor((total * (rank + 1)) / size) - first };
}

/** This rank's parts of a sequence of minibatches. Its cursor is that of the whole sequence, the same on every rank. */
export class BatchParts<Batch> implements UnionBatches<Batch> {
  readonly #union: UnionBatches<Batch>;
  readonly #slice: BatchSlice<Batch>;
  readonly #place: ShardPlace;

  constructor(union: UnionBatches<Batch>, place: ShardPlace, slice: BatchSlice<Batch>) {
    this.#union = union;
    this.#slice = slice;
    this.#place = place;
  }

  /** Of all ranks together. */
  get examplesPerEpoch(): number {
    return this.#union.examplesPerEpoch;
  }

  /** This rank's part of the next minibatch, which may be empty; valid until the next call. */
  async next(): Promise<Batch> {
    return this.#slice(await this.#union.next(), this.#place);
  }

  cursor(): object {
    return this.#union.cursor();
  }

  seek(cursor: unknown): void {
    this.#union.seek(cursor);
  }
}

/** For {@link BatchParts} of NgramBatches. Nothing but the offsets is copied. */
export function sliceNgramBatch(batch: NgramBatch, place: ShardPlace): NgramBatch {
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
  };
}

/** For {@link BatchParts} of SparseBatches, SetBatches and WindowBatches. */
export function sliceSparseBatch(batch: SparseBatch, place: ShardPlace): SparseBatch {
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
  };
}

/**
 * For {@link BatchParts} of SequenceBatches: a rank has the same streams of every minibatch, and so its model carries
 * their state. Each rank needs one slice of its own.
 * @returns what throws RangeError when there are fewer streams than ranks.
 */
export function createSequenceSlice(): BatchSlice<SequenceBatch> {
  let rows: SequenceRows | undefined;
  let longest = 0;
  return ({ steps, streams, inputs, starts, predicted, targets, targetIds, epoch, endOfEpoch }, place) => {
    const { first, count } = ownPart(streams, place);
    if (streams < place.size)
      throw new RangeError(
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
    return rows.batch(steps, epoch, endOfEpoch);
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
