/**
 * Sends the rows of one minibatch between the ranks that use them and their owners. The routing is computed once per
 * step and then used for all transfers: rows of V from their owners, gradients to them. If two ranks touch the same
 * row, the owner handles it as one row.
 *
 * Rejected: computing the outputs on the owners (send each hⱼ and h̃ⱼ to the owners of its targets, receive o_jc and a
 * row of ΓV). It moves 3·m·min(K, p) rows of d numbers where fetching moves 2·C, C ≤ mK being the distinct classes of a
 * rank's part. With targets drawn by Zipf's law from 10⁵ classes, C is 0.82·mK for mK = 128 and 0.71·mK for 512: the
 * rejected way is faster only with many more targets per example than ranks.
 */
import type { Communicator } from '@vastmax/collectives';
import { DistinctIndices } from '@vastmax/sparse-data';
import { localRowOf, ownerOf, type RowPartition } from './row-partition.ts';

type Numbers = Float32Array | Float64Array;

export class RowExchange {
  readonly communicator: Communicator;
  readonly partition: RowPartition;
  /** How many rows this rank requests from each rank; known after `sort`. */
  readonly requestCounts: Int32Array;
  /** How many rows each rank requests from this one; to be filled in before `exchangeRows`, or by `exchangeCounts`. */
  readonly incomingCounts: Int32Array;
  readonly #distinct = new DistinctIndices();
  readonly #sending: Int32Array;
  readonly #receiving: Int32Array;
  #count = 0;
  #incomingCount = 0;
  /** Positions in the caller's list, grouped by owner. */
  #order: Int32Array = new Int32Array(0);
  #requestedRows: Int32Array = new Int32Array(0);
  #incomingRows: Int32Array = new Int32Array(0);
  /** For each requested row, its index among the distinct owned rows. */
  #incomingSlots: Int32Array = new Int32Array(0);
  readonly #outgoing = new GrowingNumbers();
  readonly #incoming = new GrowingNumbers();

  constructor(communicator: Communicator, partition: RowPartition) {
    this.communicator = communicator;
    this.partition = partition;
    const { size } = communicator;
    this.requestCounts = new Int32Array(size);
    this.incomingCounts = new Int32Array(size);
    this.#sending = new Int32Array(size);
    this.#receiving = new Int32Array(size);
  }

  /** How many distinct rows of its own are requested from this rank. */
  get ownedCount(): number {
    return this.#distinct.count;
  }

  /** Those rows, in the owner's numbering; the first `ownedCount`. */
  get ownedRows(): Int32Array {
    return this.#distinct.values;
  }

  /** Sorts the first `count` of `rows` by owner. A row is sent as often as it is in the list. No communication. */
  sort(rows: Int32Array, count: number): void {
    const { partition, requestCounts } = this;
    if (this.#order.length < count) {
      this.#order = new Int32Array(Math.ceil(count * 1.5));
      this.#requestedRows = new Int32Array(this.#order.length);
    }
    this.#count = count;
    requestCounts.fill(0);
    for (let i = 0; i < count; i++) requestCounts[ownerOf(partition, rows[i]!)]!++;
    const next = this.#sending;
    for (let owner = 0, place = 0; owner < partition.size; owner++) {
      next[owner] = place;
      place += requestCounts[owner]!;
    }
    for (let i = 0; i < count; i++) {
      const place = next[ownerOf(partition, rows[i]!)]!++;
      this.#order[place] = i;
      this.#requestedRows[place] = localRowOf(partition, rows[i]!);
    }
  }

  /**
   * Sends every rank how many rows are requested from it. A collective, for callers that have no preflight at that
   * point.
   */
  exchangeCounts(): void {
    const ones = this.#sending.fill(1);
    this.communicator.allToAll(this.requestCounts, ones, this.incomingCounts, ones);
  }

  /** Sends the owners the row numbers. A collective. Afterwards `ownedRows` are known. */
  exchangeRows(): void {
    let total = 0;
    for (const count of this.incomingCounts) total += count;
    if (this.#incomingRows.length < total) {
      this.#incomingRows = new Int32Array(Math.ceil(total * 1.5));
      this.#incomingSlots = new Int32Array(this.#incomingRows.length);
    }
    this.#incomingCount = total;
    this.communicator.allToAll(this.#requestedRows, this.requestCounts, this.#incomingRows, this.incomingCounts);
    this.#distinct.begin(total);
    for (let i = 0; i < total; i++) this.#incomingSlots[i] = this.#distinct.slotOf(this.#incomingRows[i]!);
  }

  /**
   * Sends the rows from the owners to the ranks that requested them. A collective.
   * @param owned ownedCount×width, in the order of `ownedRows`.
   * @param out count×width, in the order of the list given to `sort`.
   */
  fetch(owned: Numbers, width: number, out: Numbers): void {
    const outgoing = this.#outgoing.of(owned, this.#incomingCount * width);
    const incoming = this.#incoming.of(owned, this.#count * width);
    for (let i = 0; i < this.#incomingCount; i++) copyRow(owned, this.#incomingSlots[i]!, outgoing, i, width);
    this.communicator.allToAll(
      outgoing,
      scaled(this.incomingCounts, width, this.#sending),
      incoming,
      scaled(this.requestCounts, width, this.#receiving),
    );
    for (let place = 0; place < this.#count; place++) copyRow(incoming, place, out, this.#order[place]!, width);
  }

  /**
   * Sends rows from the ranks that requested them to the owners. Values of several ranks for one row are added in the
   * order of the ranks. A collective.
   * @param given count×width, in the order of the list given to `sort`.
   * @param sums ownedCount×width, in the order of `ownedRows`; replaced.
   */
  reduceToOwners(given: Numbers, width: number, sums: Numbers): void {
    const outgoing = this.#outgoing.of(given, this.#count * width);
    const incoming = this.#incoming.of(given, this.#incomingCount * width);
    for (let place = 0; place < this.#count; place++) copyRow(given, this.#order[place]!, outgoing, place, width);
    this.communicator.allToAll(
      outgoing,
      scaled(this.requestCounts, width, this.#sending),
      incoming,
      scaled(this.incomingCounts, width, this.#receiving),
    );
    sums.fill(0, 0, this.ownedCount * width);
    for (let i = 0, from = 0; i < this.#incomingCount; i++) {
      let to = this.#incomingSlots[i]! * width;
      for (const end = from + width; from < end; from++, to++) sums[to] = sums[to]! + incoming[from]!;
    }
  }
}

function scaled(counts: Int32Array, factor: number, out: Int32Array): Int32Array {
  for (let i = 0; i < counts.length; i++) out[i] = counts[i]! * factor;
  return out;
}

function copyRow(from: Numbers, source: number, to: Numbers, target: number, width: number): void {
  for (let i = source * width, j = target * width, end = i + width; i < end; i++, j++) to[j] = from[i]!;
}

/** Buffers of the requested precision, reused from step to step. */
class GrowingNumbers {
  #single = new Float32Array(0);
  #double = new Float64Array(0);

  of(like: Numbers, length: number): Numbers {
    if (like instanceof Float32Array) {
      if (this.#single.length < length) this.#single = new Float32Array(Math.ceil(length * 1.5));
      return this.#single;
    }
    if (this.#double.length < length) this.#double = new Float64Array(Math.ceil(length * 1.5));
    return this.#double;
  }
}
