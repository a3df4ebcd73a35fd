/**
 * The way of one minibatch's rows: from a list of rows to their owners and back. A route is laid once a step and then
 * used for everything that travels along it: rows of V from their owners, gradients to them. Two ranks that touch the
 * same row are one row to its owner.
 *
 * Rejected: that the owners compute their part (send each hⱼ and h̃ⱼ to the owners of its targets, get o_jc and a row
 * of ΓV back). It moves 3·m·min(K, p) rows of d numbers where fetching moves 2·C, C ≤ mK being the distinct classes of
 * a rank's part. Drawn by Zipf's law from 10⁵ classes, C is 0.82·mK for mK = 128 and 0.71·mK for 512: the owners' way
 * is ahead only with many more targets than ranks to each example.
 */
import type { Communicator } from '@vastmax/collectives';
import { DistinctIndices } from '@vastmax/sparse-data';

type Numbers = Float32Array | Float64Array;

export class RowExchange {
  readonly communicator: Communicator;
  readonly partition: RowPartition;
  /** How many rows this rank asks of each rank; known after `sort`. */
  readonly asked: Int32Array;
  /** How many each rank asks of this rank; to be filled in before `exchangeRows`, or by `exchangeCounts`. */
  readonly wanted: Int32Array;
  readonly #distinct = new DistinctIndices();
  readonly #sending: Int32Array;
  readonly #receiving: Int32Array;
  #count = 0;
  #wantedCount = 0;
  /** Places in the caller's list, by owner. */
  #order: Int32Array = new Int32Array(0);
  #askedRows: Int32Array = new Int32Array(0);
  #wantedRows: Int32Array = new Int32Array(0);
  /** Which of the distinct owned rows each wanted one is. */
  #wantedSlots: Int32Array = new Int32Array(0);
  readonly #outgoing = new GrowingNumbers();
  readonly #incoming = new GrowingNumbers();

  constructor(communicator: Communicator, partition: RowPartition) {
    this.communicator = communicator;
    this.partition = partition;
    const { size } = communicator;
    this.asked = new Int32Array(size);
    this.wanted = new Int32Array(size);
    this.#sending = new Int32Array(size);
    this.#receiving = new Int32Array(size);
  }

  /** How many distinct rows of its own this rank is asked for. */
  get ownedCount(): number {
    return this.#distinct.count;
  }

  /** Those rows, as the owner numbers them; the first `ownedCount`. */
  get ownedRows(): Int32Array {
    return this.#distinct.values;
  }

  /** Sort the first `count` of `rows` by owner. A repeated row travels as often as it is named. Nothing is sent. */
  sort(rows: Int32Array, count: number): void {
    const { partition, asked } = this;
    if (this.#order.length < count) {
      this.#order = new Int32Array(Math.ceil(count * 1.5));
      this.#askedRows = new Int32Array(this.#order.length);
    }
    this.#count = count;
    asked.fill(0);
    for (let i = 0; i < count; i++) asked[ownerOf(partition, rows[i]!)]!++;
    const next = this.#sending;
    for (let owner = 0, place = 0; owner < partition.size; owner++) {
      next[owner] = place;
      place += asked[owner]!;
    }
    for (let i = 0; i < count; i++) {
      const place = next[ownerOf(partition, rows[i]!)]!++;
      this.#order[place] = i;
      this.#askedRows[place] = localRowOf(partition, rows[i]!);
    }
  }

  /**
   * Tell every rank how many rows are asked of it. A collective, for callers that have nothing else to say at that
   * point.
   */
  exchangeCounts(): void {
    const ones = this.#sending.fill(1);
    this.communicator.allToAll(this.asked, ones, this.wanted, ones);
  }

  /** Tell the owners which rows. A collective. Afterwards `ownedRows` are known. */
  exchangeRows(): void {
    let total = 0;
    for (const count of this.wanted) total += count;
    if (this.#wantedRows.length < total) {
      this.#wantedRows = new Int32Array(Math.ceil(total * 1.5));
      this.#wantedSlots = new Int32Array(this.#wantedRows.length);
    }
    this.#wantedCount = total;
    this.communicator.allToAll(this.#askedRows, this.asked, this.#wantedRows, this.wanted);
    this.#distinct.begin(total);
    for (let i = 0; i < total; i++) this.#wantedSlots[i] = this.#distinct.slotOf(this.#wantedRows[i]!);
  }

  /**
   * From the owners to those who asked. A collective.
   * @param owned ownedCount×width, in the order of `ownedRows`.
   * @param out count×width, in the order of the list given to `sort`.
   */
  fetch(owned: Numbers, width: number, out: Numbers): void {
    const outgoing = this.#outgoing.of(owned, this.#wantedCount * width);
    const incoming = this.#incoming.of(owned, this.#count * width);
    for (let i = 0; i < this.#wantedCount; i++) copyRow(owned, this.#wantedSlots[i]!, outgoing, i, width);
    this.communicator.allToAll(
      outgoing,
      scaled(this.wanted, width, this.#sending),
      incoming,
      scaled(this.asked, width, this.#receiving),
    );
    for (let place = 0; place < this.#count; place++) copyRow(incoming, place, out, this.#order[place]!, width);
  }

  /**
   * From those who asked to the owners, where what several ranks send for one row is added up in the order of the
   * ranks. A collective.
   * @param given count×width, in the order of the list given to `sort`.
   * @param sums ownedCount×width, in the order of `ownedRows`; replaced.
   */
  give(given: Numbers, width: number, sums: Numbers): void {
    const outgoing = this.#outgoing.of(given, this.#count * width);
    const incoming = this.#incoming.of(given, this.#wantedCount * width);
    for (let place = 0; place < this.#count; place++) copyRow(given, this.#order[place]!, outgoing, place, width);
    this.communicator.allToAll(
      outgoing,
      scaled(this.asked, width, this.#sending),
      incoming,
      scaled(this.wanted, width, this.#receiving),
    );
    sums.fill(0, 0, this.ownedCount * width);
    for (let i = 0, from = 0; i < this.#wantedCount; i++) {
      let to = this.#wantedSlots[i]! * width;
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

/** Room of the precision asked for, kept from step to step. */
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

/**
 * Which rank owns which row: row r belongs to rank r mod p, as its row ⌊r/p⌋. Targets follow Zipf's law and
 * vocabularies are sorted by frequency, so blocks of consecutive rows would give the first rank nearly all the traffic
 * (with 10⁶ classes and 4 ranks, 90 % of the draws fall into the first quarter); assigned in turn, neighbours in
 * frequency land on different ranks and every rank gets its share of each stretch, also of any range of classes that is
 * scored. A hash would balance as well and needs a table or a search to be inverted.
 */
export interface RowPartition {
  readonly rows: number;
  readonly size: number;
}

/** Of a layer that classes may be added to: rows that are there stay where they are. */
export interface GrowingPartition extends RowPartition {
  rows: number;
}

export function ownerOf({ size }: RowPartition, row: number): number {
  return row % size;
}

/** Where the owner keeps it. */
export function localRowOf({ size }: RowPartition, row: number): number {
  return Math.floor(row / size);
}

/** The row that the owner `rank` keeps at `local`. */
export function rowOf({ size }: RowPartition, rank: number, local: number): number {
  return local * size + rank;
}

/** How many rows of `first` … `first + count − 1` a rank owns; all of its rows unless given. */
export function ownedCount(
  partition: RowPartition,
  rank: number,
  first = 0,
  count: number = partition.rows - first,
): number {
  return firstLocalAt(partition, rank, first + count) - firstLocalAt(partition, rank, first);
}

/** The first of a rank's rows that is at least `row`. */
export function firstLocalAt({ size }: RowPartition, rank: number, row: number): number {
  return Math.max(0, Math.ceil((row - rank) / size));
}
