/**
 * The examples of all ranks on every rank: activations, targets, and the weight of each example. Σm·d numbers and three
 * per target. A vocabulary-parallel softmax needs them, because every class is scored for every example.
 */
import {
  createHostArray,
  read,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { CsrRows } from '@vastmax/sparse-data';
import type { Communicator } from '@vastmax/collectives';

export interface GlobalBatch {
  /** M×width, the examples of rank 0 first. */
  readonly hidden: Matrix;
  /** M. */
  readonly examples: number;
  /** Index of this rank's first example. */
  readonly first: number;
  /** Number of entries: one (example, class, weight) for each target with a weight other than 0. */
  readonly count: number;
  readonly rows: Int32Array;
  readonly classes: Int32Array;
  readonly weights: Float64Array;
  /** The factor of each example's loss in the reduced loss. */
  readonly factors: Float64Array;
}

export class GlobalBatchGather {
  readonly #communicator: Communicator;
  readonly #backend: Backend;
  readonly #workspace: Workspace;
  #host: FloatArray;

  constructor(communicator: Communicator, backend: Backend, workspace: Workspace) {
    this.#communicator = communicator;
    this.#backend = backend;
    this.#workspace = workspace;
    this.#host = createHostArray(backend, 0);
  }

  /**
   * Gathers the batch. A collective.
   * @param hidden this rank's own activations, with the bias feature.
   * @param examples m of each rank.
   * @param factor of every example, in addition to its own weight.
   */
  async gather(
    hidden: Matrix,
    targets: CsrRows,
    exampleWeights: ArrayLike<number> | undefined,
    examples: Int32Array,
    factor: number,
  ): Promise<GlobalBatch> {
    const communicator = this.#communicator;
    const { rank, size } = communicator;
    const width = hidden.columns;
    const total = examples.reduce((sum, count) => sum + count, 0);
    const first = examples.subarray(0, rank).reduce((sum, count) => sum + count, 0);
    if (this.#host.length < total * width) this.#host = createHostArray(this.#backend, Math.ceil(total * width * 1.5));
    communicator.allGather(
      (await read(hidden)).subarray(0, hidden.rows * width),
      examples.map((count) => count * width),
      this.#host,
    );
    const all = this.#workspace.matrix('global hidden', total, width);
    write(this.#host.subarray(0, total * width), all);

    const own = entriesOf(targets, first);
    const counts = new Int32Array(size);
    communicator.allGather(Int32Array.of(own.count), new Int32Array(size).fill(1), counts);
    const count = counts.reduce((sum, each) => sum + each, 0);
    const gathered = <Values extends Int32Array | Float64Array>(
      part: Values,
      lengths: Int32Array,
      out: Values,
    ): Values => {
      communicator.allGather(part, lengths, out);
      return out;
    };
    return {
      hidden: all,
      examples: total,
      first,
      count,
      rows: gathered(own.rows, counts, new Int32Array(count)),
      classes: gathered(own.classes, counts, new Int32Array(count)),
      weights: gathered(own.weights, counts, new Float64Array(count)),
      factors: gathered(
        Float64Array.from({ length: hidden.rows }, (_, i) => factor * (exampleWeights?.[i] ?? 1)),
        examples,
        new Float64Array(total),
      ),
    };
  }
}

function entriesOf(
  { rows, offsets, indices, values }: CsrRows,
  first: number,
): { count: number; rows: Int32Array; classes: Int32Array; weights: Float64Array } {
  const entries: [row: number, target: number, weight: number][] = [];
  for (let row = 0; row < rows; row++) {
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
      const weight = values === undefined ? 1 : values[entry]!;
      if (weight !== 0) entries.push([first + row, indices[entry]!, weight]);
    }
  }
  return {
    count: entries.length,
    rows: Int32Array.from(entries, ([row]) => row),
    classes: Int32Array.from(entries, ([, target]) => target),
    weights: Float64Array.from(entries, ([, , weight]) => weight),
  };
}
