/**
 * A corpus over many ranks: all go through the one sequence of minibatches that the seed determines, and each rank takes its part of every minibatch, neighbours
 * staying together. So the union of the parts is the minibatch that one process would train on, whatever the number of ranks, and a run resumes on another number of ranks
 * where it was. The price: every rank has the encoded corpus (4 bytes a token) and makes the whole minibatch, which is copying a few numbers an example.
 *
 * Rejected: a stretch of the corpus for each rank. It saves that memory, but what is trained then depends on the number of ranks, and
 * so does where a resumed run is.
 */
import { singleTargets, type CsrRows, type NgramBatch, type SparseBatch } from '@vastmax/sparse-data';

/** Minibatches of all ranks together: NgramBatches, SparseBatches and their like. */
export interface UnionBatches<Batch> {
  readonly examplesPerEpoch: number;
  next(): Batch | Promise<Batch>;
  cursor(): object;
  seek(cursor: unknown): void;
}

/** Cuts examples `first` … `first + count − 1` out of a minibatch. */
export type BatchSlice<Batch> = (batch: Batch, first: number, count: number) => Batch;

/** This rank's parts of a sequence of minibatches. Its cursor is that of the whole sequence, the same on every rank. */
export class BatchParts<Batch extends { readonly size: number }> implements UnionBatches<Batch> {
  readonly #union: UnionBatches<Batch>;
  readonly #slice: BatchSlice<Batch>;
  readonly #rank: number;
  readonly #size: number;

  constructor(union: UnionBatches<Batch>, { rank, size }: { readonly rank: number; readonly size: number }, slice: BatchSlice<Batch>) {
    this.#union = union;
    this.#slice = slice;
    this.#rank = rank;
    this.#size = size;
  }

  /** Of all ranks together. */
  get examplesPerEpoch(): number {
    return this.#union.examplesPerEpoch;
  }

  /** This rank's part of the next minibatch, which may be empty; valid until the next call. */
  async next(): Promise<Batch> {
    const batch = await this.#union.next();
    const first = Math.floor((batch.size * this.#rank) / this.#size);
    const end = Math.floor((batch.size * (this.#rank + 1)) / this.#size);
    return this.#slice(batch, first, end - first);
  }

  cursor(): object {
    return this.#union.cursor();
  }

  seek(cursor: unknown): void {
    this.#union.seek(cursor);
  }
}

/** For {@link BatchParts} of NgramBatches. Nothing but the offsets is copied. */
export function sliceNgramBatch(batch: NgramBatch, first: number, count: number): NgramBatch {
  const { size, contexts, targets, targetIds, epoch, endOfEpoch } = batch;
  const order = size === 0 ? 0 : contexts.length / size;
  const ids = targetIds.subarray(first, first + count);
  return { size: count, contexts: contexts.subarray(first * order, (first + count) * order), targets: singleTargets(ids, targets.columns), targetIds: ids, epoch, endOfEpoch };
}

/** For {@link BatchParts} of SparseBatches, SetBatches and WindowBatches. */
export function sliceSparseBatch(batch: SparseBatch, first: number, count: number): SparseBatch {
  const { inputs, targets, targetIds, examples, epoch, endOfEpoch } = batch;
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
