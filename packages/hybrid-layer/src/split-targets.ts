/**
 * A minibatch's targets as the two layers see them: every example for the head, with all tail classes one class, and for the tail only the
 * examples that have a target there, with classes counted from the first tail class. O(number of targets); buffers grow and are kept.
 */
import type { CsrRows } from '@vastmax/sparse-data';

export class SplitTargets {
  readonly #headSize: number;
  readonly #tailClasses: number;
  #headIndices: Int32Array = new Int32Array(0);
  #headOffsets: Int32Array = new Int32Array(1);
  #tailIndices: Int32Array = new Int32Array(0);
  #tailOffsets: Int32Array = new Int32Array(1);
  #tailWeights: Float64Array = new Float64Array(0);
  #values: Float32Array | Float64Array | undefined;
  #examples = 0;
  /** The examples with a tail target, ascending; the first tailExamples count. */
  tailRows: Int32Array = new Int32Array(0);
  tailExamples = 0;

  constructor(headSize: number, classes: number) {
    this.#headSize = headSize;
    this.#tailClasses = classes - headSize;
  }

  /** Replace the content. The targets must have been checked. */
  build({ rows, offsets, indices, values }: CsrRows): void {
    const entries = offsets[rows]!;
    this.#reserve(rows, entries);
    this.#examples = rows;
    this.#values = values;
    this.#headOffsets.set(offsets.subarray(0, rows + 1));
    this.tailExamples = 0;
    let tailEntries = 0;
    for (let row = 0; row < rows; row++) {
      const before = tailEntries;
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
        const target = indices[entry]!;
        this.#headIndices[entry] = Math.min(target, this.#headSize);
        if (target < this.#headSize) continue;
        this.#tailIndices[tailEntries] = target - this.#headSize;
        this.#tailWeights[tailEntries++] = values === undefined ? 1 : values[entry]!;
      }
      if (tailEntries === before) continue;
      this.tailRows[this.tailExamples++] = row;
      this.#tailOffsets[this.tailExamples] = tailEntries;
    }
  }

  /** m rows over F + 1 classes, the last of which is the tail. An example with several tail targets names it several times. */
  get head(): CsrRows {
    return { rows: this.#examples, columns: this.#headSize + 1, offsets: this.#headOffsets, indices: this.#headIndices, values: this.#values };
  }

  /** tailExamples rows over the tail's classes. */
  get tail(): CsrRows {
    return {
      rows: this.tailExamples,
      columns: this.#tailClasses,
      offsets: this.#tailOffsets,
      indices: this.#tailIndices,
      values: this.#values === undefined ? undefined : this.#tailWeights,
    };
  }

  #reserve(rows: number, entries: number): void {
    if (this.tailRows.length < rows) {
      const room = Math.ceil(rows * 1.5);
      this.tailRows = new Int32Array(room);
      this.#headOffsets = new Int32Array(room + 1);
      this.#tailOffsets = new Int32Array(room + 1);
    }
    if (this.#headIndices.length < entries) {
      const room = Math.ceil(entries * 1.5);
      this.#headIndices = new Int32Array(room);
      this.#tailIndices = new Int32Array(room);
      this.#tailWeights = new Float64Array(room);
    }
  }
}
