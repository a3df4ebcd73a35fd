/** Which rows of a minibatch are one sequence, and the lists and masks that attention needs of them. */
import { Workspace, write, type Backend, type Indices, type Matrix } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';

/** Queries of a block: enough for products at full speed, few enough for a block of scores to stay in the cache. */
export const blockRows = 256;

/** A block of the queries of a sequence: rows `first` … of it, with all keys before them and their own. */
export interface QueryBlock {
  readonly first: number;
  readonly rows: number;
  /** rows×(first + rows): 0 where the query may see the key, −∞ where the key comes after it. */
  readonly mask: Matrix;
}

export interface Sequence {
  readonly start: number;
  readonly length: number;
  readonly blocks: readonly QueryBlock[];
}

/**
 * Which rows of a minibatch are one sequence, for {@link attention}: row after row, sequence after sequence. One for
 * all layers of a network; {@link PackedSequences.arrange} tells it of each minibatch, and must not be called again
 * before the step's last backward call.
 */
export class PackedSequences implements Disposable {
  readonly backend: Backend;
  readonly heads: number;
  readonly #workspace: Workspace;
  /** Which block each mask was written for. */
  readonly #masks: { first: number; rows: number }[] = [];
  #rows = 0;
  #sequences: readonly Sequence[] = [];
  #list = new Int32Array(0);
  #positions: Indices;
  #byHead: Indices;
  #byRow: Indices;

  /** @param heads of every attention that uses it. */
  constructor(backend: Backend, heads: number) {
    if (!Number.isSafeInteger(heads) || heads < 1)
      throw new AutodiffError(
        'bad-option',
        `PackedSequences: heads must be a whole number of at least 1, got ${heads}`,
      );
    this.backend = backend;
    this.heads = heads;
    this.#workspace = new Workspace(backend);
    this.#positions = this.#workspace.indices('positions', this.#list);
    this.#byHead = this.#workspace.indices('by head', this.#list);
    this.#byRow = this.#workspace.indices('by row', this.#list);
  }

  /** Rows of the minibatch. */
  get rows(): number {
    return this.#rows;
  }

  /** Of each row in its sequence, from 0 on. */
  get positions(): Indices {
    return this.#positions;
  }

  /** For operations of this package. */
  get sequences(): readonly Sequence[] {
    return this.#sequences;
  }

  /** Rows of (n·heads)×w, in the order of the heads; and back. For operations of this package. */
  get byHead(): Indices {
    return this.#byHead;
  }

  get byRow(): Indices {
    return this.#byRow;
  }

  /**
   * Sequences of these lengths, one after the other. O(rows·heads) on the host, and for each different length its
   * square once, unless the last minibatch had it too.
   * @param lengths whole numbers of at least 1.
   * @throws AutodiffError `bad-option`.
   */
  arrange(lengths: ArrayLike<number>): void {
    const before = this.#sequences;
    if (lengths.length === before.length && before.every(({ length }, i) => length === lengths[i])) return;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (Number.isSafeInteger(length) && length >= 1) continue;
      throw new AutodiffError(
        'bad-option',
        `PackedSequences.arrange: length ${i} is ${length}; it must be a whole number of at least 1`,
      );
    }
    const blocksByLength = new Map<number, readonly QueryBlock[]>();
    const sequences: Sequence[] = [];
    let start = 0;
    let slot = 0;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      let blocks = blocksByLength.get(length);
      if (blocks === undefined) {
        blocks = Array.from({ length: Math.ceil(length / blockRows) }, (_, block) => {
          const first = block * blockRows;
          return this.#block(slot++, first, Math.min(blockRows, length - first));
        });
        blocksByLength.set(length, blocks);
      }
      sequences.push({ start, length, blocks });
      start += length;
    }
    this.#sequences = sequences;
    this.#rows = start;
    const { heads } = this;
    this.#positions = this.#indices('positions', start, (list) => {
      for (const { start: first, length } of sequences) for (let i = 0; i < length; i++) list[first + i] = i;
    });
    this.#byHead = this.#indices('by head', start * heads, (list) => {
      for (let head = 0, i = 0; head < heads; head++)
        for (let row = 0; row < start; row++) list[i++] = row * heads + head;
    });
    this.#byRow = this.#indices('by row', start * heads, (list) => {
      for (let row = 0, i = 0; row < start; row++)
        for (let head = 0; head < heads; head++) list[i++] = head * start + row;
    });
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
  }

  #indices(name: string, count: number, fillList: (list: Int32Array) => void): Indices {
    if (this.#list.length < count) this.#list = new Int32Array(Math.ceil(count * 1.5));
    fillList(this.#list);
    return this.#workspace.indices(name, this.#list, count);
  }

  #block(slot: number, first: number, rows: number): QueryBlock {
    const columns = first + rows;
    const mask = this.#workspace.matrix(`mask ${slot}`, rows, columns);
    const held = (this.#masks[slot] ??= { first: -1, rows: -1 });
    if (held.first !== first || held.rows !== rows) {
      const values = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++) values.fill(-Infinity, row * columns + first + row + 1, (row + 1) * columns);
      write(values, mask);
      held.first = first;
      held.rows = rows;
    }
    return { first, rows, mask };
  }
}
