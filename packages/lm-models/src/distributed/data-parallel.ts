/**
 * Data-parallel training of a model's body: every rank has all its weights, and between the backward pass and the
 * update the gradients are summed over the ranks, in one all-reduced buffer
 *
 *     numbers   p·tables row counts   p·2 checksum words   gradients of all matrices
 *
 * so that each rank makes the same update. Of tables, a step touches few rows, so only rows are exchanged: every rank
 * gets the indices and gradient rows of all ranks, in the order of the ranks, which with BatchParts is the order of the
 * whole minibatch. The optimizer gets the same gradients as in one process: its moments, clipping and weight decay do
 * not depend on the number of ranks.
 *
 * Input embeddings are replicated. Rejected: sharding them with ShardedTable. It needs Dd/p memory instead of Dd and
 * sends 2C rows per rank instead of p·C, but then ranks wait for each other before the forward pass, and every model
 * and checkpoint has sharded embeddings and moments. A vocabulary of 10⁶ words of 100 numbers takes 400 MB on a rank;
 * the output layer, which has the most rows, is sharded.
 */
import { ArrayChecksum, CommunicatorError, type Communicator } from '@vastmax/collectives';
import {
  createHostArray,
  fill,
  gatherRows,
  read,
  scatterRows,
  Workspace,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
} from '@vastmax/linalg-core';
import type { ModelParameters, TableParameter } from '../bodies/layers.ts';
import type { TrainingRanks, TrainingSnapshot } from '../training/training-types.ts';
import { compareTraining } from './compare-training.ts';

/** How often the replicas are compared, and who is told when they differ. */
export interface DataParallelOptions {
  /**
   * Compare the matrices, and the table rows of the last step, of all ranks every so many steps; 100 unless given, 0
   * for never.
   */
  readonly checkEvery?: number;
  /**
   * Asks for a repair: when the weights of some ranks differ from those of rank 0, all ranks take these, and this is
   * called on every rank. Unless given, such drift is an error. A likely reason is processors that round differently.
   */
  readonly onReplicaDrift?: (drift: { readonly step: number; readonly ranks: readonly number[] }) => void;
}

/** Sums the gradients of all ranks of a job in each step; the `ranks` of the Trainer. */
export class DataParallel implements TrainingRanks, Disposable {
  readonly #communicator: Communicator;
  readonly #workspace: Workspace;
  readonly #backend: Backend;
  readonly #options: DataParallelOptions;
  #steps = 0;
  #sums: FloatArray;
  #own: FloatArray;
  #all: FloatArray;
  #ownRows: Int32Array = new Int32Array(0);
  #allRows: Int32Array = new Int32Array(0);
  readonly #counts: Int32Array;
  readonly #lengths: Int32Array;
  /** How many rows of each table the last step touched on all ranks; their numbers are in the workspace. */
  readonly #touched = new Map<string, Int32Array>();

  constructor(communicator: Communicator, backend: Backend, options: DataParallelOptions = {}) {
    this.#communicator = communicator;
    this.#backend = backend;
    this.#options = options;
    this.#workspace = new Workspace(backend);
    this.#sums = createHostArray(backend, 0);
    this.#own = this.#sums;
    this.#all = this.#sums;
    this.#counts = new Int32Array(communicator.size);
    this.#lengths = new Int32Array(communicator.size);
  }

  get rank(): number {
    return this.#communicator.rank;
  }

  /** Compares what the ranks are about to train: {@link compareTraining}. A collective. */
  async begin(snapshot: TrainingSnapshot): Promise<void> {
    await compareTraining(this.#communicator, snapshot);
  }

  /**
   * Sums the gradients of the matrices and `numbers` over the ranks, in place, and replaces the gradients of every
   * table by the gradient rows of all ranks. A collective: the same parameters on every rank. Sends 2n(p − 1)/p numbers
   * for n in the matrices, and this rank's own rows to each other rank.
   * @throws CommunicatorError `mismatch` on every rank when the replicas have drifted and no repair was asked for.
   */
  async reduce(parameters: ModelParameters, numbers: Float64Array): Promise<void> {
    this.#steps++;
    const { size } = this.#communicator;
    if (size === 1) return;
    const { matrices, tables } = parameters;
    const { checkEvery = 100 } = this.#options;
    const checks = checkEvery > 0 && this.#steps % checkEvery === 0;
    const firstCount = numbers.length;
    const firstCheck = firstCount + tables.length * size;
    const firstGradient = firstCheck + 2 * size;
    let length = firstGradient;
    for (const { value } of matrices) length += value.rows * value.columns;
    if (this.#sums.length < length) this.#sums = createHostArray(this.#backend, length);
    const sums = this.#sums.subarray(0, length);
    sums.fill(0);
    sums.set(numbers);
    for (const [i, { gradients }] of tables.entries()) {
      let rows = 0;
      for (const { indices } of gradients) rows += indices.count;
      sums[firstCount + i * size + this.rank] = rows;
    }
    if (checks) {
      const checksum = await this.#checksum(parameters);
      sums[firstCheck + 2 * this.rank] = checksum % 2 ** 24;
      sums[firstCheck + 2 * this.rank + 1] = Math.floor(checksum / 2 ** 24) % 2 ** 24;
    }
    let place = firstGradient;
    for (const { value, gradient } of matrices) {
      const count = value.rows * value.columns;
      if (gradient !== undefined) await read(gradient, sums.subarray(place, place + count));
      place += count;
    }
    this.#communicator.allReduce(sums);
    numbers.set(sums.subarray(0, numbers.length));
    if (checks) await this.#repair(parameters, sums.subarray(firstCheck, firstGradient));
    place = firstGradient;
    for (const { name, value, gradient } of matrices) {
      const sum = sums.subarray(place, place + value.rows * value.columns);
      place += sum.length;
      if (gradient !== undefined) write(sum, gradient);
      else if (sum.some((each) => each !== 0)) {
        throw new CommunicatorError(
          'mismatch',
          `reduce: ${name} has a gradient on another rank and none on rank ${this.rank}; all ranks must train the same model`,
          { call: 'reduce', rank: this.rank },
        );
      }
    }
    for (const [i, table] of tables.entries()) {
      for (let rank = 0; rank < size; rank++) this.#counts[rank] = sums[firstCount + i * size + rank]!;
      await this.#exchangeRows(table);
    }
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
  }

  /** To be called when `#counts` are known. */
  async #exchangeRows(parameter: TableParameter): Promise<void> {
    const { name, table, gradients } = parameter;
    const width = table.columns;
    const own = this.#counts[this.rank]!;
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    this.#reserve(own, total, width);
    let row = 0;
    for (const { indices, rows } of gradients) {
      this.#ownRows.set(indices.values.subarray(0, indices.count), row);
      await read(rows, this.#own.subarray(row * width, (row + indices.count) * width));
      row += indices.count;
    }
    this.#communicator.allGather(this.#ownRows.subarray(0, own), this.#counts, this.#allRows);
    for (let rank = 0; rank < this.#lengths.length; rank++) this.#lengths[rank] = this.#counts[rank]! * width;
    this.#communicator.allGather(this.#own.subarray(0, own * width), this.#lengths, this.#all);
    const rows = this.#workspace.matrix(`${name} gradient of all`, total, width);
    if (total > 0) write(this.#all.subarray(0, total * width), rows);
    else fill(0, rows);
    parameter.replaceGradients([
      { indices: this.#workspace.indices(`${name} rows of all`, this.#allRows, total), rows },
    ]);
    this.#touched.set(name, this.#allRows.slice(0, total));
  }

  #reserve(own: number, total: number, width: number): void {
    const grown = (length: number): number => Math.ceil(length * 1.5);
    if (this.#ownRows.length < own) this.#ownRows = new Int32Array(grown(own));
    if (this.#allRows.length < total) this.#allRows = new Int32Array(grown(total));
    if (this.#own.length < own * width) this.#own = createHostArray(this.#backend, grown(own * width));
    if (this.#all.length < total * width) this.#all = createHostArray(this.#backend, grown(total * width));
  }

  async #checksum(parameters: ModelParameters): Promise<number> {
    const hash = new ArrayChecksum();
    for (const { value } of this.#replicas(parameters)) hash.add(await read(value));
    return hash.value;
  }

  /**
   * Where the checksums differ all ranks copy the values of rank 0.
   * @throws CommunicatorError `mismatch` on every rank, unless a repair was asked for.
   */
  async #repair(parameters: ModelParameters, words: FloatArray): Promise<void> {
    const ranks = Array.from({ length: this.#communicator.size }, (_, rank) => rank).filter(
      (rank) => words[2 * rank] !== words[0] || words[2 * rank + 1] !== words[1],
    );
    if (ranks.length === 0) return;
    const { onReplicaDrift } = this.#options;
    if (onReplicaDrift === undefined) {
      throw new CommunicatorError(
        'mismatch',
        `training, step ${this.#steps}: the body's weights of rank ${ranks.join(', ')} differ from those of rank 0, though all began with the same`,
        { call: 'reduce', rank: ranks[0] },
      );
    }
    for (const { value, store } of this.#replicas(parameters)) {
      const host = await read(value);
      this.#communicator.broadcast(host, 0);
      write(host, value);
      store();
    }
    onReplicaDrift({ step: this.#steps, ranks });
  }

  /** All matrices, and of each table the rows that the last step touched. */
  *#replicas({ matrices, tables }: ModelParameters): Generator<{ readonly value: Matrix; readonly store: () => void }> {
    for (const { value } of matrices) yield { value, store: () => undefined };
    for (const { name, table } of tables) {
      const touched = this.#touched.get(name);
      if (touched === undefined || touched.length === 0) continue;
      const indices = this.#workspace.indices(`${name} checked rows`, touched);
      const value = this.#workspace.matrix(`${name} checked values`, touched.length, table.columns);
      gatherRows(table, indices, value);
      yield {
        value,
        store: () => {
          scatterRows(value, indices, table);
        },
      };
    }
  }
}
