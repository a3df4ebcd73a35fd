/**
 * A softmax over few rows that every rank has: the head of a hybrid layer, the root of a tree. Each rank computes it for
 * its own examples, as one process does, and the gradient of the rows is summed over the ranks, in one all-reduce of
 *
 *     p status words   rows·width
 *
 * whose words say which rank's part of the step has failed. For n rows a rank sends 2n·width(p − 1)/p numbers, however
 * many examples there are. Evaluating and scoring need no communication.
 *
 * Rejected: dividing the rows over the ranks (partial-softmax.ts). For m examples a rank it sends the activations of all
 * to all ranks, and gradients back: 2m(p − 1)width numbers, fewer while p < n/m. But that is six more exchanges, and one
 * in every evaluation. It is for tables that no rank can hold.
 */
import { ArrayChecksum, CommunicatorError, type Communicator } from '@vastmax/collectives';
import { createHostArray, fill, read, write, type FloatArray, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { TensorSource } from '@vastmax/linalg-core/state';
import { BlockedSoftmax, type ClassTable, type TargetList } from '@vastmax/softmax-losses/layer-parts';

export class ReplicatedSoftmax implements Disposable {
  readonly table: ClassTable;
  readonly #communicator: Communicator;
  readonly #workspace: Workspace;
  readonly #softmax: BlockedSoftmax;
  readonly #buffer: FloatArray;

  /** Owns the table from now on. */
  constructor(communicator: Communicator, table: ClassTable, workspace: Workspace) {
    this.table = table;
    this.#communicator = communicator;
    this.#workspace = workspace;
    this.#softmax = new BlockedSoftmax(table, workspace, { blockRows: table.rows });
    this.#buffer = createHostArray(table.table.backend, communicator.size + table.rows * table.width);
  }

  /** m×1 losses of this rank's own examples. No collective. @param hidden m×width, with the bias feature. */
  forward(
    hidden: Matrix,
    targets: TargetList,
    options: { readonly name?: string; readonly keep?: boolean } = {},
  ): Matrix {
    return hidden.rows === 0
      ? this.#workspace.matrix(`${this.table.name} no losses`, 0, 1)
      : this.#softmax.forward(hidden, targets, options);
  }

  /**
   * Adds to the hidden gradient and computes this rank's part of the gradient of the rows, for `sum`. Call it after
   * `forward` with `keep`. No collective.
   */
  async computeGradient(
    hidden: Matrix,
    targets: TargetList,
    factors: Float64Array,
    hiddenGradient: Matrix,
  ): Promise<void> {
    const gradient = this.#gradient();
    if (hidden.rows === 0) fill(0, gradient);
    else this.#softmax.computeGradient(hidden, targets, factors, hiddenGradient, gradient);
    await read(gradient, this.#numbers());
  }

  /**
   * Sums the gradient of the rows over the ranks. A collective.
   * @param hasFailed whether this rank's part of the step has failed; its numbers then are left out.
   * @returns the first rank that has failed.
   */
  sum(hasFailed: boolean): number | undefined {
    const { rank, size } = this.#communicator;
    this.#buffer.fill(0, 0, size);
    if (hasFailed) {
      this.#buffer.fill(0);
      this.#buffer[rank] = 1;
    }
    this.#communicator.allReduce(this.#buffer);
    for (let other = 0; other < size; other++) if (this.#buffer[other] !== 0) return other;
    return undefined;
  }

  /** Changes the rows by the summed gradient, on every rank alike. No collective. */
  update(learningRate: number, step: number): void {
    const { name, rows } = this.table;
    const gradient = this.#gradient();
    write(this.#numbers(), gradient);
    this.table.updateDistinct(this.table.range(0, rows, `${name} replicated range`), gradient, learningRate, step);
  }

  /** 53 bits of the rows and of the moments of their rule, never 0. */
  async computeChecksum(): Promise<number> {
    const hash = new ArrayChecksum();
    for (const tensor of this.table.tensors()) hash.add(await tensor.read(0, tensor.rows));
    return hash.value;
  }

  /**
   * Compares checksums of all ranks, of which 0 is none.
   * @param repair asks for the rows of rank 0 on all ranks where they differ, and is told then.
   * @throws CommunicatorError `mismatch` on every rank when they differ and no repair was asked for.
   */
  async repair(
    checksums: readonly number[],
    step: number,
    repair: ((drift: { readonly step: number; readonly ranks: readonly number[] }) => void) | undefined,
  ): Promise<void> {
    const ranks = checksums.flatMap((checksum, rank) => (checksum === checksums[0] ? [] : [rank]));
    if (ranks.length === 0) return;
    if (repair === undefined) {
      throw new CommunicatorError(
        'mismatch',
        `distributed layer, step ${step}: the rows of ${this.table.name} that all ranks have differ on rank ${ranks.join(', ')} from those of rank 0, though all began with the same`,
        { call: 'step', rank: ranks[0] },
      );
    }
    const tensors: TensorSource[] = [];
    for (const tensor of this.table.tensors()) {
      const values = await tensor.read(0, tensor.rows);
      this.#communicator.broadcast(values, 0);
      tensors.push({
        ...tensor,
        read: (first, count) =>
          Promise.resolve(values.subarray(first * tensor.columns, (first + count) * tensor.columns)),
      });
    }
    await this.table.restore({ configuration: {}, tensors });
    repair({ step, ranks });
  }

  [Symbol.dispose](): void {
    this.#softmax[Symbol.dispose]();
    this.table[Symbol.dispose]();
  }

  #gradient(): Matrix {
    const { name, rows, width } = this.table;
    return this.#workspace.matrix(`${name} summed gradient`, rows, width);
  }

  #numbers(): FloatArray {
    return this.#buffer.subarray(this.#communicator.size);
  }
}
