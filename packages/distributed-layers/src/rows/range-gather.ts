/**
 * Gathers the rows of a range of classes on every rank, each rank sending those that it stores (row-partition.ts). A
 * collective; moves count·width numbers. The caller reads its own rows into `host`, synchronously or not.
 */
import type { Communicator } from '@vastmax/collectives';
import { createHostArray, write, type Backend, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import { firstLocalAt, ownedCount, rowOf, type RowPartition } from './row-partition.ts';

export class RangeGather {
  readonly #communicator: Communicator;
  readonly #backend: Backend;
  readonly #partition: RowPartition;
  readonly #counts: Int32Array;
  #own: FloatArray;
  #all: FloatArray;
  #ordered: FloatArray;

  constructor(communicator: Communicator, backend: Backend, partition: RowPartition) {
    this.#communicator = communicator;
    this.#backend = backend;
    this.#partition = partition;
    this.#counts = new Int32Array(communicator.size);
    this.#own = createHostArray(backend, 0);
    this.#all = this.#own;
    this.#ordered = this.#own;
  }

  /** The rows of classes `first` … that this rank stores, in its own numbering. */
  ownRange(first: number, count: number): { readonly first: number; readonly count: number } {
    const { rank } = this.#communicator;
    return {
      first: firstLocalAt(this.#partition, rank, first),
      count: ownedCount(this.#partition, rank, first, count),
    };
  }

  /** The buffer for this rank's part of count×width numbers. */
  host(count: number, width: number): FloatArray {
    if (this.#all.length < count * width) {
      this.#own = createHostArray(this.#backend, count * width);
      this.#all = createHostArray(this.#backend, count * width);
      this.#ordered = createHostArray(this.#backend, count * width);
    }
    return this.#own;
  }

  /** Gathers the parts of all ranks, in the order of the classes. @param out count×width. */
  gather(first: number, out: Matrix): void {
    const { rows: count, columns: width } = out;
    const { size, rank } = this.#communicator;
    for (let other = 0; other < size; other++)
      this.#counts[other] = width * ownedCount(this.#partition, other, first, count);
    this.#communicator.allGather(this.#own.subarray(0, this.#counts[rank]), this.#counts, this.#all);
    for (let other = 0, place = 0; other < size; other++) {
      const firstLocal = firstLocalAt(this.#partition, other, first);
      for (let i = 0; i < this.#counts[other]! / width; i++, place += width) {
        const target = (rowOf(this.#partition, other, firstLocal + i) - first) * width;
        for (let j = 0; j < width; j++) this.#ordered[target + j] = this.#all[place + j]!;
      }
    }
    write(this.#ordered.subarray(0, count * width), out);
  }
}
