// The distinct values of a list of indices, numbered in order of first appearance: which rows of a table a minibatch
// touches.
//
// No array of D entries may appear here: an index can be 10^7 while the list has a hundred. An open-addressed hash
// table of at least twice the list's length does it; its entries are marked with the number of the list, so it never
// has to be cleared.

import { mix32 } from '../random/random.ts';

/** Numbers distinct indices into buffers that it owns and reuses: a training loop keeps one. */
export class DistinctIndices {
  /** The distinct indices of the current list, by slot; the first `count` are valid. */
  values: Int32Array = new Int32Array(0);
  count = 0;
  #slots = new Int32Array(0);
  #marks = new Int32Array(0);
  #mark = 0;

  /** Begin a new list of at most `length` indices. Allocates only when `length` is the largest so far. */
  begin(length: number): void {
    this.count = 0;
    if (this.values.length < length) {
      const capacity = 2 ** Math.ceil(Math.log2(2 * length));
      this.values = new Int32Array(capacity / 2);
      this.#slots = new Int32Array(capacity);
      this.#marks = new Int32Array(capacity);
      this.#mark = 0;
    }
    if (this.#mark === 0x7fffffff) {
      this.#marks.fill(0);
      this.#mark = 0;
    }
    this.#mark++;
  }

  /** The slot of `index`, a new one (the old `count`) at its first appearance. O(1) expected. */
  slotOf(index: number): number {
    const mask = this.#slots.length - 1;
    let place = mix32(index) & mask;
    for (;;) {
      if (this.#marks[place] !== this.#mark) {
        this.#marks[place] = this.#mark;
        this.#slots[place] = this.count;
        this.values[this.count] = index;
        return this.count++;
      }
      const slot = this.#slots[place]!;
      if (this.values[slot] === index) return slot;
      place = (place + 1) & mask;
    }
  }
}
