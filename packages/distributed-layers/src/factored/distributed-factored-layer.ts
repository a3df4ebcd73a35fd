/**
 * The factored output layer over many ranks: each rank has its own part of a minibatch and its own part of the classes,
 * and the step is the exact step on all parts together (mathematics.md §3b). The communication of a step does not
 * depend on the number of classes: each rank sends 2·C·d numbers for its C touched classes and about 4d² for the sums.
 */
import type { Communicator } from '@vastmax/collectives';
import { copyColumns, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import {
  CallGuard,
  checkClassRange,
  checkClassScores,
  checkHidden,
  checkOut,
  checkScores,
  checkStepOptions,
  checkTargets,
  withBiasFeature,
  type PendingStep,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TopK,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { SphericalLoss, Verification } from '@vastmax/spherical-losses';
import {
  checkConfiguration,
  ClassScores,
  compareWithExact,
  decayFactor,
  FactoredStep,
  FactoredWeights,
  restoreState,
  rowsPerBlock,
  stateOf,
  storeGram,
} from '@vastmax/spherical-losses/factored-parts';
import { ownedCount } from '../rows/row-partition.ts';
import { ClassShard, type RankContext } from './class-shard.ts';
import { localErrorOf, restoreCollectively, type CollectivePreflight } from './collective-preflight.ts';
import { DistributedLosses } from './distributed-losses.ts';
import { DistributedRanking } from './distributed-ranking.ts';
import { FactoredExchange } from './factored-exchange.ts';
import { GlobalRows } from './global-rows.ts';
import type { DistributedFactoredLayerOptions, DistributedLayerCounters } from './layer-options.ts';
import { computeGlobalGram } from './replicas.ts';
import { ownShardOf } from './sharded-state.ts';

/**
 * The exact factored output layer with its class rows shared out over the ranks of a job; created by
 * `createDistributedFactoredLayer`.
 */
export class DistributedFactoredLayer implements TwoPhaseOutputLayer {
  readonly kind = 'factored';
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly features: number;
  readonly loss: SphericalLoss;
  readonly bias: boolean;
  readonly #context: RankContext;
  readonly #weights: FactoredWeights;
  readonly #shard: ClassShard;
  readonly #exchange: FactoredExchange;
  readonly #step: FactoredStep;
  readonly #globalRows: GlobalRows;
  readonly #scores: ClassScores;
  readonly #losses: DistributedLosses;
  readonly #ranking: DistributedRanking;
  readonly #calls = new CallGuard(this.kind);

  /** Use {@link createDistributedFactoredLayer}, which also fills it. */
  constructor(
    communicator: Communicator,
    backend: Backend,
    options: DistributedFactoredLayerOptions,
    preflight: CollectivePreflight,
  ) {
    this.communicator = communicator;
    this.backend = backend;
    this.features = options.features;
    this.loss = options.loss;
    this.bias = options.bias ?? true;
    const partition = { rows: options.classes, size: communicator.size };
    const workspace = new Workspace(backend);
    const weights = new FactoredWeights(backend, ownedCount(partition, communicator.rank), this.width, workspace);
    weights.onStabilization = options.onStabilization;
    this.#weights = weights;
    this.#context = { communicator, backend, preflight, options, partition, workspace, weights };
    this.#shard = new ClassShard(this.#context);
    this.#exchange = new FactoredExchange(this.#context);
    this.#step = new FactoredStep(backend, options, workspace, weights, this.#exchange);
    this.#globalRows = new GlobalRows(this.#context, this.#exchange);
    this.#scores = new ClassScores(backend, workspace, this.#globalRows, this.loss.name);
    this.#losses = new DistributedLosses(this, workspace, this.#step, this.#exchange, this.#globalRows, this.#scores);
    this.#ranking = new DistributedRanking(this, this.#context);
  }

  /** D over all ranks. */
  get classes(): number {
    return this.#context.partition.rows;
  }

  /** d, the bias feature included. */
  get width(): number {
    return this.features + (this.bias ? 1 : 0);
  }

  get isNormalized(): boolean {
    return this.loss.isNormalized;
  }

  get counters(): DistributedLayerCounters {
    const { steps, singularSteps } = this.#step;
    const { epoch, applied } = this.#weights.transforms;
    const { replicaRepairs } = this.#exchange;
    const form = steps > 0 ? 'row' : undefined;
    return { steps, rebases: epoch, singularSteps, transformsApplied: applied, form, replicaRepairs };
  }

  /** Fills this rank's rows and the class constants. Called once, by createDistributedFactoredLayer. */
  fill(): void {
    this.#shard.fill();
    this.#step.constants = this.#shard.allConstants;
  }

  /** Computes C and w̄ from the rows of all ranks. A collective; called by createDistributedFactoredLayer. */
  async rebuildGram(): Promise<void> {
    storeGram(await computeGlobalGram(this.#context), this.#weights.centredGram, this.#weights.columnSum);
    this.#step.rebaseControl.watchMap();
  }

  /**
   * One exact SGD step on the examples of all ranks together; `learningRate` is the same on all ranks and refers to the
   * mean (or sum) over all of them. A collective.
   * @param hidden this rank's m×d; m may differ between ranks, and be 0.
   * @returns the losses and the gradient of this rank's own examples.
   * @throws OutputLayerError on every rank when one rank rejects the step; the message names it, and no weight has
   * changed.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return this.#calls.runCollectively('step', async (busy) =>
      (await this.#prepare(hidden, targets, options, busy)).apply(),
    );
  }

  /** As `step`, but applied later: all ranks must then apply it, or all discard it. */
  prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    return this.#calls.holdCollectively('step', (busy) => this.#prepare(hidden, targets, options, busy));
  }

  #prepare(hidden: Matrix, targets: CsrRows, options: StepOptions, busy: unknown): Promise<PendingStep> {
    const localError = localErrorOf(busy, () => {
      checkHidden(this, 'step', hidden);
      checkTargets(this, 'step', hidden, targets);
      checkStepOptions(this, hidden.rows, options);
      decayFactor(this.#context.options, options.learningRate);
      this.#calls.willChange();
    });
    return this.#step.prepare(hidden, targets, options, localError);
  }

  /** m×1, the losses of this rank's own examples. A collective. */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.runCollectively('evaluate', (busy) => this.#losses.evaluate(hidden, targets, busy));
  }

  /** No collective: every rank refuses calls of its own meanwhile. */
  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.read(operation, action);
  }

  /**
   * A collective when there are several ranks: the same classes on all ranks, each rank with its own `hidden`. See
   * {@link topK}.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    const extended = withBiasFeature(this.#context.workspace, hidden, this.bias);
    this.#scores.range(extended, firstClass, this.#step.constants, this.loss.score, out);
  }

  /** A collective when there are several ranks, each with its own `hidden` and classes. */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    const extended = withBiasFeature(this.#context.workspace, hidden, this.bias);
    this.#scores.each(extended, classes, this.#step.constants, this.loss.score, out);
  }

  /**
   * log p of one class for each of this rank's own examples: classes m long, out m×1. A collective. O(m·d²).
   * @throws OutputLayerError on every rank when one rank rejects the call; `bad-option` for a loss that is not
   * normalised.
   */
  classLogProbabilities(hidden: Matrix, classes: Int32Array, out: Matrix): Promise<void> {
    return this.#calls.runCollectively('classLogProbabilities', (busy) =>
      this.#losses.ofClasses(hidden, classes, out, busy),
    );
  }

  /**
   * log p of classes `firstClass` … `firstClass + out.columns - 1`, the same on all ranks, for each of this rank's own
   * examples; out m×count. A collective, which moves count·d numbers. O(m·count·d + count·d²/p).
   * @throws OutputLayerError on every rank when one rank rejects the call; `bad-option` for a loss that is not
   * normalised or does not define what its probabilities are proportional to.
   */
  logProbabilities(hidden: Matrix, firstClass: number, out: Matrix): Promise<void> {
    return this.#calls.runCollectively('logProbabilities', (busy) =>
      this.#losses.ofRange(hidden, firstClass, out, busy),
    );
  }

  /**
   * As `classLogProbabilities`, on a backend in host memory, without waiting for the event loop. A collective; all ranks
   * must make it, since no error of another rank is told.
   * @throws OutputLayerError `bad-option`; LinalgError where the backend cannot read synchronously.
   */
  classLogProbabilitiesSync(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classLogProbabilitiesSync');
    checkClassScores(this, 'classLogProbabilitiesSync', hidden, classes, out);
    this.#losses.ofClassesSync(hidden, classes, out);
  }

  /** As `logProbabilities`, likewise. @throws as classLogProbabilitiesSync. */
  logProbabilitiesSync(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('logProbabilitiesSync');
    checkScores(this, 'logProbabilitiesSync', hidden, firstClass, out);
    this.#losses.ofRangeSync(hidden, firstClass, out);
  }

  /**
   * Rows `first` … of W, the bias feature last, on every rank. A collective when there are several.
   * @param out count×width.
   */
  denseRows(first: number, out: Matrix): void {
    this.#calls.check('denseRows');
    checkOut(this, 'denseRows', out, out.rows, this.width);
    checkClassRange(this, 'denseRows', first, out.rows);
    this.#globalRows.denseRows(first, out.rows, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.check('classVectors');
    checkOut(this, 'classVectors', out, out.rows, this.features);
    const rows = this.#context.workspace.matrix('class vectors', out.rows, this.width);
    this.denseRows(firstClass, rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  /**
   * Adds classes at the end, exactly. A collective: every rank passes all new rows, stores its own and adds all of them
   * to C and w̄, so that these stay bitwise equal. O(n·d²) on each rank, and a copy of 4 bytes per class of its own; a
   * few words are sent.
   * @param values n×width weights, row by row (zeros for classes about which nothing is known; the bias feature last),
   * the same on all ranks.
   * @param constants one for each new class, when the loss has class constants.
   * @throws OutputLayerError on every rank when one rank rejects the rows or they differ; nothing has changed.
   */
  addClasses(values: ArrayLike<number>, constants?: ArrayLike<number>): void {
    this.#calls.checkChange('addClasses');
    this.#shard.add(values, constants, this.#progress);
    this.#step.constants = this.#shard.allConstants;
    this.#step.rebaseControl.watchMap();
  }

  /**
   * The k best classes of each of this rank's own examples. A collective: every rank scores its own classes for the
   * examples of all ranks, so that only the activations and k candidates of each rank are sent. O(Σm·D/p·d).
   */
  topK(hidden: Matrix, k: number): Promise<TopK> {
    return this.#calls.runCollectively('topK', (busy) => this.#ranking.topK(hidden, k, this.#shard.ownConstants, busy));
  }

  /**
   * The rank (1 is best, a tie counts half) of one class for each of this rank's own examples. A collective,
   * O(Σm·D/p·d).
   */
  ranksOf(hidden: Matrix, targets: Int32Array): Promise<Float64Array> {
    return this.#calls.runCollectively('ranksOf', (busy) =>
      this.#ranking.ranksOf(hidden, targets, this.#shard.ownConstants, busy),
    );
  }

  /**
   * How far C, w̄ and U⁻¹ have drifted from the weights. A collective; streams all rows, O(D·d²/p). Changes nothing.
   */
  verify(): Promise<Verification> {
    return this.#calls.runCollectively('verify', async (localError) => {
      const { workspace, weights, preflight } = this.#context;
      preflight.begin('verify', { localError, same: this.#progress });
      return compareWithExact(workspace, weights, await computeGlobalGram(this.#context), this.classes);
    });
  }

  /**
   * Converts every row (V = W, U = I) and recomputes C and w̄ in f64. A collective, O(D·d²/p). W changes by rounding
   * only.
   */
  materialize(): Promise<void> {
    return this.#calls.runCollectively('materialize', async (localError) => {
      this.#context.preflight.begin('materialize', { localError, same: this.#progress });
      this.#calls.willChange();
      this.#weights.materialize(rowsPerBlock);
      await this.rebuildGram();
    });
  }

  /**
   * This rank's shard: its rows and the replicated matrices. No collective. {@link mergeShards} merges all shards into
   * one state.
   */
  state(): ModuleState {
    this.#calls.check('state');
    const { rank, size } = this.communicator;
    return this.#calls.stateAsOfNow(this.#state({ shard: { rank, size } }));
  }

  #state(more: JsonObject): ModuleState {
    return stateOf(this, this.#context.options, this.#step, this.#weights, this.#shard.ownConstants, more);
  }

  /**
   * Restores this rank's shard of a checkpoint of as many ranks, or its part of a whole state: of {@link mergeShards},
   * or of the factored layer in one process. A collective.
   * @throws StateError `state-mismatch` on every rank when one rank rejects its part; that rank is unchanged, others
   * may have restored theirs.
   */
  restore(state: ModuleState): Promise<void> {
    const restoreOwn = async (): Promise<void> => {
      checkConfiguration(this.#state({}).configuration, state.configuration);
      const own = ownShardOf('factored layer', state, this.communicator, this.classes);
      this.#calls.willRestore(state);
      await restoreState(own, this.#step, this.#weights, this.#shard.ownConstants);
    };
    return this.#calls.runCollectively('restore', async (busy) => {
      await restoreCollectively(this.#context.preflight, restoreOwn, () => this.#progress, busy);
      await this.#shard.shareConstants(state);
      this.#step.constants = this.#shard.allConstants;
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#step[Symbol.dispose]();
      this.#scores[Symbol.dispose]();
      this.#ranking[Symbol.dispose]();
      this.#weights[Symbol.dispose]();
      this.#shard[Symbol.dispose]();
      this.#context.workspace[Symbol.dispose]();
    });
  }

  /** The numbers that must be the same on all ranks before a collective call. */
  get #progress(): Readonly<Record<string, number>> {
    return { steps: this.#step.steps, 'rebase epoch': this.#weights.transforms.epoch };
  }
}
