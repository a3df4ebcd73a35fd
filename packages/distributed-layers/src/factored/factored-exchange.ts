/**
 * The seams of the factored step over many ranks (RankExchange of spherical-losses), on the examples of all ranks
 * together. What travels in a step, and in which order:
 *
 *     preflight      a few words to each rank: the same call, how many examples, how many of your rows
 *     indices, rows  which rows; their values
 *     gradients      R back to the owners
 *     sums           one fused allReduce; with it a word from each rank whether its part is finite
 *
 * Owners bring their rows to the current rebase epoch; the transform cache is the same on every rank, so an owner's
 * conversion is everybody's. Nothing has changed until the sums are there. A rank that fails before still takes part,
 * with zeros, and says so in its word.
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
  #asked: FloatArray;
  #count = 0;
  /** Of this step: rows that this rank owns and any rank touches. */
  #touched: TouchedRows | undefined;

  constructor(context: RankContext) {
    const { communicator, backend, partition, weights } = context;
    this.exchange = new RowExchange(communicator, partition);
    this.#context = context;
    this.#weights = weights;
    this.#replicas = new Replicas(communicator, weights);
    this.#sums = new FusedSums(communicator, backend, weights.width);
    this.#owned = createHostArray(backend, 0);
    this.#asked = createHostArray(backend, 0);
  }

  /** D over all ranks. */
  get classes(): number {
    return this.#context.partition.rows;
  }

  /** The fetched rows, in the order in which they were asked for; owners have stored what they converted. */
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
    const checksum = checkEvery > 0 && steps % checkEvery === 0 ? await this.#replicas.computeChecksum() : 0;
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
    await this.#give(gradient, touched.gradient);
    if (own !== undefined && gradient !== undefined) await sums.put('gram', ownGram(own, touched));
    else sums.fail();
    const failed = sums.reduce();
    if (failed !== undefined) return this.#context.preflight.throwErrorOf('step', failed, localError);
    return { touched, take: (sum, out) => sums.take(sum, out) };
  }

  /**
   * The preflight of a call that needs the rows of `pairs`. A collective.
   * @param same up to two numbers more that must be the same everywhere.
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
   * After `exchange.sort` and the preflight: the rows asked for, kept until `place`. A collective.
   * @param store whether rows that had to be converted are stored back as converted.
   */
  async fetch(count: number, store: boolean): Promise<TouchedRows> {
    const owned = this.#route(count);
    if (store) this.#weights.refresh(owned.classes, owned.count, owned.indices, owned.rows);
    else this.#weights.gatherCurrent(owned.classes, owned.count, owned.indices, owned.rows);
    await read(owned.rows, this.#owned);
    this.exchange.fetch(this.#owned, this.#weights.width, this.#asked);
    return owned;
  }

  /** As `fetch` without storing, for calls that cannot wait. @throws LinalgError where the backend cannot read so. */
  fetchSync(count: number): void {
    const owned = this.#route(count);
    this.#weights.gatherCurrent(owned.classes, owned.count, owned.indices, owned.rows);
    readSync(owned.rows, this.#owned);
    this.exchange.fetch(this.#owned, this.#weights.width, this.#asked);
  }

  /** The fetched rows, in the order in which they were asked for. */
  place(out: Matrix): void {
    write(this.#asked.subarray(0, this.#count * this.#weights.width), out);
  }

  /**
   * Rows of R from every rank to the owners, who add up what several ranks have for one class. A collective.
   * @param gradient a row for each row asked for; undefined for none to give.
   * @param out ownedCount×d.
   */
  async #give(gradient: Matrix | undefined, out: Matrix): Promise<void> {
    const { width } = this.#weights;
    if (gradient === undefined) this.#asked.fill(0, 0, this.#count * width);
    else await read(gradient, this.#asked);
    this.exchange.give(this.#asked, width, this.#owned);
    write(this.#owned.subarray(0, this.exchange.ownedCount * width), out);
  }

  #route(count: number): TouchedRows {
    const { backend, workspace } = this.#context;
    const { width } = this.#weights;
    this.exchange.exchangeRows();
    const { ownedCount, ownedRows } = this.exchange;
    this.#count = count;
    if (this.#asked.length < count * width) this.#asked = createHostArray(backend, Math.ceil(count * width * 1.5));
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

  /** @returns whether the replicas differed, and are now those of rank 0. */
  async #repairReplicas({ checksums }: GlobalCounts, step: number): Promise<boolean> {
    const ranks = Replicas.differing(checksums);
    if (ranks.length === 0) return false;
    await this.#replicas.takeFromRankZero();
    this.replicaRepairs++;
    this.#context.options.onReplicaDrift?.({ step, ranks });
    return true;
  }
}
