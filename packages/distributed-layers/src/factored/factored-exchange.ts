/**
 * The exchange of the factored step over many ranks (RankExchange of spherical-losses), on the examples of all ranks
 * together. What a step sends, and in which order:
 *
 *     preflight      a few words to each rank: which call, how many examples, how many rows are requested
 *     indices, rows  which rows; their values
 *     gradients      R back to the owners
 *     sums           one fused allReduce; with it a word from each rank that says whether its part is finite
 *
 * Owners convert their rows to the current rebase epoch. The transform cache is the same on every rank, so the
 * converted rows are valid for all. Nothing changes until the sums are complete. A rank that fails before still takes
 * part, with zeros, and its word reports the failure.
 */
import {
  createHostArray,
  read,
  readSync,
  write,
  type FloatArray,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import {
  ownGram,
  ownSum,
  touchedGradient,
  type FactoredWeights,
  type GlobalSums,
  type LocalBatch,
  type RankExchange,
  type TouchedRows,
  type UpdateInputs,
} from '@vastmax/spherical-losses/factored-parts';
import { CommunicatorError } from '@vastmax/collectives';
import { RowExchange } from '../rows/row-exchange.ts';
import type { RankContext } from './class-shard.ts';
import type { CollectiveOperation, GlobalCounts } from './collective-preflight.ts';
import { FusedSums } from './fused-sums.ts';
import { Replicas } from './replicas.ts';

export class FactoredExchange implements RankExchange {
  /** How often replicas had to be repaired. */
  replicaRepairs = 0;
  readonly exchange: RowExchange;
  readonly #context: RankContext;
  readonly #weights: FactoredWeights;
  readonly #replicas: Replicas;
  readonly #sums: FusedSums;
  #owned: FloatArray;
  #requested: FloatArray;
  #count = 0;
  /** Rows that this rank owns and that any rank touches in this step. */
  #touched: TouchedRows | undefined;

  constructor(context: RankContext) {
    const { communicator, backend, partition, weights } = context;
    this.exchange = new RowExchange(communicator, partition);
    this.#context = context;
    this.#weights = weights;
    this.#replicas = new Replicas(communicator, weights);
    this.#sums = new FusedSums(communicator, backend, weights.width);
    this.#owned = createHostArray(backend, 0);
    this.#requested = createHostArray(backend, 0);
  }

  /** D over all ranks. */
  get classes(): number {
    return this.#context.partition.rows;
  }

  /** Copies the fetched rows, in the order of the request; owners have stored what they converted. */
  refresh(_classes: Int32Array, _count: number, _indices: Indices, out: Matrix): void {
    this.place(out);
  }

  gatherCurrent(_classes: Int32Array, _count: number, _indices: Indices, out: Matrix): void {
    this.place(out);
  }

  async fetchRows(
    batch: LocalBatch,
    localError: unknown,
  ): Promise<{ readonly totalExamples: number; readonly isReplaced: boolean }> {
    const { learningRate, steps } = batch;
    const { checkEvery = 100 } = this.#context.options;
    const isCheck = localError === undefined && checkEvery > 0 && steps % checkEvery === 0;
    const checksum = isCheck ? await this.#replicas.computeChecksum() : 0;
    const counts = this.announce('step', batch, localError, { learningRate }, checksum);
    const isReplaced = await this.#repairReplicas(counts, steps);
    this.#touched = await this.fetch(batch.pairs.touched, true);
    this.#sums.clear();
    return { totalExamples: counts.totalExamples, isReplaced };
  }

  async addUp(own: UpdateInputs | undefined, error: unknown): Promise<GlobalSums> {
    const touched = this.#touched;
    if (touched === undefined) throw new RangeError('factored exchange: addUp comes after fetchRows');
    const sums = this.#sums;
    let localError = error;
    let gradient: Matrix | undefined;
    if (own !== undefined) {
      try {
        for (const sum of ['change', 'cross', 'gammaVector', 'columnSum', 'shift'] as const)
          await sums.put(sum, ownSum(sum, own));
        gradient = touchedGradient(own);
      } catch (caught) {
        localError = caught;
      }
    }
    await this.#reduceToOwners(gradient, touched.gradient);
    if (own !== undefined && gradient !== undefined) await sums.put('gram', ownGram(own, touched));
    else sums.fail();
    const failed = sums.reduce();
    if (failed !== undefined) return this.#context.preflight.throwErrorOf('step', failed, localError);
    return { touched, take: (sum, out) => sums.take(sum, out) };
  }

  /**
   * The preflight of a call that needs the rows of `pairs`. A collective.
   * @param same up to two more numbers that must be the same on all ranks.
   */
  announce(
    operation: CollectiveOperation,
    { pairs, examples, steps }: Omit<LocalBatch, 'learningRate'>,
    localError: unknown,
    same: Readonly<Record<string, number>>,
    checksum = 0,
  ): GlobalCounts {
    const { exchange } = this;
    if (localError === undefined) exchange.sort(pairs.classes, pairs.touched);
    const epoch = this.#weights.transforms.epoch;
    return this.#context.preflight.begin(
      operation,
      {
        localError,
        same: { steps, 'rebase epoch': epoch, ...same },
        examples: localError === undefined ? examples : 0,
        checksum,
      },
      exchange,
    );
  }

  /**
   * To be called after `exchange.sort` and the preflight: fetches the requested rows, which are kept until `place`. A
   * collective.
   * @param store whether rows that had to be converted are stored in converted form.
   */
  async fetch(count: number, store: boolean): Promise<TouchedRows> {
    const owned = this.#route(count);
    if (store) this.#weights.refresh(owned.classes, owned.count, owned.indices, owned.rows);
    else this.#weights.gatherCurrent(owned.classes, owned.count, owned.indices, owned.rows);
    await read(owned.rows, this.#owned);
    this.exchange.fetch(this.#owned, this.#weights.width, this.#requested);
    return owned;
  }

  /**
   * As `fetch` without storing, for synchronous calls. @throws LinalgError where the backend cannot read synchronously.
   */
  fetchSync(count: number): void {
    const owned = this.#route(count);
    this.#weights.gatherCurrent(owned.classes, owned.count, owned.indices, owned.rows);
    readSync(owned.rows, this.#owned);
    this.exchange.fetch(this.#owned, this.#weights.width, this.#requested);
  }

  /** Copies the fetched rows, in the order of the request. */
  place(out: Matrix): void {
    write(this.#requested.subarray(0, this.#count * this.#weights.width), out);
  }

  /**
   * Sends rows of R from every rank to the owners, which add the rows of several ranks for one class. A collective.
   * @param gradient a row for each requested row; undefined when there are none to send.
   * @param out ownedCount×d.
   */
  async #reduceToOwners(gradient: Matrix | undefined, out: Matrix): Promise<void> {
    const { width } = this.#weights;
    if (gradient === undefined) this.#requested.fill(0, 0, this.#count * width);
    else await read(gradient, this.#requested);
    this.exchange.reduceToOwners(this.#requested, width, this.#owned);
    write(this.#owned.subarray(0, this.exchange.ownedCount * width), out);
  }

  #route(count: number): TouchedRows {
    const { backend, workspace } = this.#context;
    const { width } = this.#weights;
    this.exchange.exchangeRows();
    const { ownedCount, ownedRows } = this.exchange;
    this.#count = count;
    if (this.#requested.length < count * width)
      this.#requested = createHostArray(backend, Math.ceil(count * width * 1.5));
    if (this.#owned.length < ownedCount * width)
      this.#owned = createHostArray(backend, Math.ceil(ownedCount * width * 1.5));
    return {
      classes: ownedRows,
      count: ownedCount,
      indices: workspace.indices('owned classes', ownedRows, ownedCount),
      rows: workspace.matrix('owned rows', ownedCount, width),
      gradient: workspace.matrix('owned gradient', ownedCount, width),
    };
  }

  /**
   * @returns whether the replicas differed, and now are those of rank 0.
   * @throws CommunicatorError `mismatch` on every rank when they differ and no repair was asked for.
   */
  async #repairReplicas({ checksums }: GlobalCounts, step: number): Promise<boolean> {
    const ranks = Replicas.differing(checksums);
    if (ranks.length === 0) return false;
    const { onReplicaDrift } = this.#context.options;
    if (onReplicaDrift === undefined) {
      throw new CommunicatorError(
        'mismatch',
        `distributed layer, step ${step}: the replicated matrices of rank ${ranks.join(', ')} differ from those of rank 0, though all began with the same`,
        { call: 'step', rank: ranks[0] },
      );
    }
    await this.#replicas.copyFromRankZero();
    this.replicaRepairs++;
    onReplicaDrift({ step, ranks });
    return true;
  }
}
