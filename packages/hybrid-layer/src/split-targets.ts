/**
 * Splits a minibatch's targets between the parts. The head gets every example, with all classes of a tail replaced by
 * one class. A tail gets only the examples that have a target in it, with classes numbered from the tail's first class.
 * Cost: O(number of targets); buffers are reused.
 */
import type { CsrRows } from '@vastmax/sparse-data';

export class SplitTargets {
  readonly #headSize: number;
  readonly tails: readonly TailTargets[];
  #indices: Int32Array = new Int32Array(0);
  #offsets: Int32Array = new Int32Array(1);
  #values: CsrRows['values'];
  #examples = 0;

  /** @param starts the first class of each tail, ascending; the classes before them are the head. */
  constructor(starts: readonly number[], classes: number) {
    this.#headSize = starts[0] ?? classes;
    this.tails = starts.map((start, tail) => new TailTargets(start, starts[tail + 1] ?? classes));
  }

  /** Replaces the content. The caller has checked the targets. */
  build(targets: CsrRows): void {
    const { rows, offsets, indices, values } = targets;
    const entries = offsets[rows]!;
    if (this.#offsets.length <= rows) this.#offsets = new Int32Array(Math.ceil(rows * 1.5) + 1);
    if (this.#indices.length < entries) this.#indices = new Int32Array(Math.ceil(entries * 1.5));
    this.#examples = rows;
    this.#values = values;
    for (let row = 0; row <= rows; row++) this.#offsets[row] = offsets[row]!;
    for (let entry = 0; entry < entries; entry++) this.#indices[entry] = Math.min(indices[entry]!, this.#headSize);
    for (const [tail, own] of this.tails.entries()) {
      own.build(targets);
      for (let entry = 0; entry < entries; entry++)
        if (own.contains(indices[entry]!)) this.#indices[entry] = this.#headSize + tail;
    }
  }

  /**
   * m rows over the head's classes and one class for each tail. An example with several targets in a tail has that
   * class several times.
   */
  get head(): CsrRows {
    return {
      rows: this.#examples,
      columns: this.#headSize + this.tails.length,
      offsets: this.#offsets,
      indices: this.#indices,
      values: this.#values,
    };
  }
}

export class TailTargets {
  readonly #start: number;
  readonly #end: number;
  #indices: Int32Array = new Int32Array(0);
  #offsets: Int32Array = new Int32Array(1);
  #weights: Float64Array = new Float64Array(0);
  #isWeighted = false;
  /** The examples with a target in this tail, ascending; only the first `examples` entries are valid. */
  rows: Int32Array = new Int32Array(0);
  examples = 0;

  constructor(start: number, end: number) {
    this.#start = start;
    this.#end = end;
  }

  contains(target: number): boolean {
    return target >= this.#start && target < this.#end;
  }

  build({ rows, offsets, indices, values }: CsrRows): void {
    this.#reserve(rows, offsets[rows]!);
    this.#isWeighted = values !== undefined;
    this.examples = 0;
    let entries = 0;
    for (let row = 0; row < rows; row++) {
      const before = entries;
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
        if (!this.contains(indices[entry]!)) continue;
        this.#indices[entries] = indices[entry]! - this.#start;
        this.#weights[entries++] = values === undefined ? 1 : values[entry]!;
      }
      if (entries === before) continue;
      this.rows[this.examples++] = row;
      this.#offsets[this.examples] = entries;
    }
  }

  get targets(): CsrRows {
    return {
      rows: this.examples,
      columns: this.#end - this.#start,
      offsets: this.#offsets,
      indices: this.#indices,
      values: this.#isWeighted ? this.#weights : undefined,
    };
  }

  #reserve(rows: number, entries: number): void {
    if (this.rows.length < rows) {
      this.rows = new Int32Array(Math.ceil(rows * 1.5));
      this.#offsets = new Int32Array(this.rows.length + 1);
    }
    if (this.#indices.length < entries) {
      this.#indices = new Int32Array(Math.ceil(entries * 1.5));
      this.#weights = new Float64Array(this.#indices.length);
    }
  }
}
