/**
 * The factored output layer over many ranks: each brings its own part of a minibatch and keeps its own part of the
 * classes, and the step is the exact one on all parts together (mathematics.md §3b; P. Vincent et al., arXiv:1412.7091
 * and arXiv:1606.08061). What a step moves does not depend on the number of classes: of each rank 2·C·d numbers for its
 * C touched classes and about 4d² for the sums.
 */
import { copyColumns, createMatrixFrom, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import { CallGuard, checkClassRange, checkExampleClasses, checkHidden, checkStepOptions, checkTargets, OutputLayerError, withBiasFeature, type PreparedStep, type StepOptions, type StepResult, type TopK, type TwoPhaseOutputLayer } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { SphericalLoss, Verification } from '@vastmax/spherical-losses';
import { checkAddedClasses, checkDecay, ClassScores, compareWithExact, FactoredWeights, rowsPerBlock, storeGram, type GramSums } from '@vastmax/spherical-losses/factored-parts';
import { type Communicator, ArrayChecksum } from '@vastmax/collectives';
import { ownedCount, type GrowingPartition } from '../rows/row-partition.ts';
import { refusalOf, type Agreement, type CollectiveOperation } from './agreement.ts';
import { GlobalRows } from './global-rows.ts';
import type { DistributedFactoredLayerOptions, DistributedLayerCounters } from './layer-options.ts';
import { fillOwnRows, ownRowsOf } from './own-rows.ts';
import { ownStateOf, restoreOwnState } from './own-state.ts';
import { restoreTogether } from './together.ts';
import { UnionConstants } from './union-constants.ts';
import { computeUnionGram } from './union-gram.ts';
import { UnionProbabilities } from './union-probabilities.ts';
import { UnionRanking } from './union-ranking.ts';
import { UnionStep } from './union-step.ts';
import type { ModuleState } from '@vastmax/linalg-core/state';

export class DistributedFactoredLayer implements TwoPhaseOutputLayer {
  readonly kind = 'factored';
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly features: number;
  readonly loss: SphericalLoss;
  readonly bias: boolean;
  readonly #options: DistributedFactoredLayerOptions;
  readonly #agreement: Agreement;
  readonly #partition: GrowingPartition;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #step: UnionStep;
  readonly #globalRows: GlobalRows;
  readonly #scores: ClassScores;
  readonly #probabilities: UnionProbabilities;
  readonly #ranking: UnionRanking;
  readonly #calls = new CallGuard(this.kind);

  /** Use {@link createDistributedFactoredLayer}, which also fills it. */
  constructor(
    communicator: Communicator,
    backend: Backend,
    options: DistributedFactoredLayerOptions,
    agreement: Agreement,
  ) {
    this.communicator = communicator;
    this.backend = backend;
    this.features = options.features;
    this.loss = options.loss;
    this.bias = options.bias ?? true;
    this.#options = options;
    this.#agreement = agreement;
    this.#partition = { rows: options.classes, size: communicator.size };
    this.#workspace = new Workspace(backend);
    this.#weights = new FactoredWeights(
      backend,
      ownedCount(this.#partition, communicator.rank),
      this.width,
      this.#workspace,
    );
    this.#weights.onStabilization = options.onStabilization;
    this.#step = new UnionStep(
      communicator,
      backend,
      options,
      this.#partition,
      this.#workspace,
      this.#weights,
      agreement,
    );
    this.#globalRows = new GlobalRows(
      communicator,
      agreement,
      backend,
      this.#workspace,
      this.#weights,
      this.#step.rows,
    );
    this.#scores = new ClassScores(backend, this.#workspace, this.#globalRows);
    this.#probabilities = new UnionProbabilities(this, this.#workspace, this.#step, this.#globalRows, this.#scores);
    this.#ranking = new UnionRanking(communicator, agreement, backend, this.#workspace, this.#weights, this.#partition);
  }

  /** D over all ranks. */
  get classes(): number {
    return this.#partition.rows;
  }

  /** d, the bias feature included. */
  get width(): number {
    return this.features + (this.bias ? 1 : 0);
  }

  get isNormalized(): boolean {
    return this.loss.isNormalized;
  }

  get counters(): DistributedLayerCounters {
    return {
      steps: this.#step.steps,
      generationsClosed: this.#weights.ladder.current,
      singularSteps: this.#step.singularSteps,
      mapsApplied: this.#weights.ladder.mapsApplied,
      form: this.#step.steps > 0 ? 'row' : undefined,
      replicaRepairs: this.#step.replicaRepairs,
    };
  }

  /** This rank's rows and the class constants. Called once, by createDistributedFactoredLayer. */
  fill(): void {
    fillOwnRows(this.#weights.rows, this.#partition, this.communicator.rank, this.width, this.#options);
    const { classConstants } = this.loss;
    if (classConstants !== undefined)
      this.#step.constants = new UnionConstants(this.backend, classConstants, this.#partition, this.communicator.rank);
  }

  /** C and w̄ from the rows of all ranks. A collective; called by createDistributedFactoredLayer. */
  async rebuildGram(): Promise<void> {
    storeGram(await this.#unionGram(), this.#weights.centredGram, this.#weights.columnSum);
    this.#step.generations.watchMap();
  }

  /**
   * One exact SGD step on the examples of all ranks together; `learningRate` is the same everywhere and refers to the
   * mean (or sum) over all of them. A collective. @param hidden this rank's m×d; m may differ, and be 0.
   * @returns the losses and the gradient of this rank's own examples.
   * @throws OutputLayerError on every rank when one must refuse; the message names it, and no weight has changed.
   */
  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return (await this.prepareStep(hidden, targets, options)).apply();
  }

  /** All ranks must then apply, or all discard. */
  async prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    this.#calls.check('step');
    const refusal = refusalOf(() => {
      checkHidden(this, 'step', hidden);
      checkTargets(this, 'step', hidden, targets);
      checkStepOptions(this, hidden.rows, options);
      checkDecay(this.#options, options.learningRate);
    });
    return this.#calls.hold(() => this.#step.prepare(hidden, targets, options, refusal));
  }

  /** m×1, the losses of this rank's own examples. A collective. */
  async evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    this.#calls.check('evaluate');
    const refusal = refusalOf(() => {
      checkHidden(this, 'evaluate', hidden);
      checkTargets(this, 'evaluate', hidden, targets);
    });
    return this.#calls.exclusively(async () => {
      const losses = await this.#step.computeLosses('evaluate', hidden, targets, refusal);
      await this.backend.synchronize();
      return losses;
    });
  }

  /**
   * A collective when there are several ranks: the same classes everywhere, each rank its own `hidden`. Moves count·d
   * numbers; see {@link topK}.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('scores');
    checkHidden(this, 'scores', hidden);
    checkClassRange(this, 'scores', firstClass, out.columns);
    this.#scores.range(
      withBiasFeature(this.#workspace, hidden, this.bias),
      firstClass,
      this.#step.constants?.all,
      this.loss.score,
      out,
    );
  }

  /** A collective when there are several ranks, each with its own `hidden` and classes. */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkHidden(this, 'classScores', hidden);
    checkExampleClasses(this, 'classScores', hidden, classes);
    this.#scores.each(
      withBiasFeature(this.#workspace, hidden, this.bias),
      classes,
      this.#step.constants?.all,
      this.loss.score,
      out,
    );
  }

  /**
   * log p of one class for each of this rank's own examples, of a normalised loss: classes m long, out m×1. A
   * collective. O(m·d²).
   * @throws OutputLayerError on every rank when one must refuse; `bad-option` for a loss that is not normalised.
   */
  async classLogProbabilities(hidden: Matrix, classes: Int32Array, out: Matrix): Promise<void> {
    this.#calls.check('classLogProbabilities');
    await this.#calls.exclusively(() => this.#probabilities.ofClasses(hidden, classes, out));
  }

  /**
   * log p of classes `firstClass` … `firstClass + out.columns - 1`, the same on all ranks, for each of this rank's own
   * examples; out m×count. A collective, which moves count·d numbers. O(m·count·d + count·d²/p).
   * @throws OutputLayerError on every rank when one must refuse; `bad-option` for a loss that is not normalised or does
   * not say what its probabilities are proportional to.
   */
  async logProbabilities(hidden: Matrix, firstClass: number, out: Matrix): Promise<void> {
    this.#calls.check('logProbabilities');
    await this.#calls.exclusively(() => this.#probabilities.ofRange(hidden, firstClass, out));
  }

  /**
   * Rows `first` … of W, the bias feature last, on every rank. A collective when there are several.
   * @param out count×width.
   */
  denseRows(first: number, out: Matrix): void {
    this.#calls.check('denseRows');
    checkClassRange(this, 'denseRows', first, out.rows);
    this.#globalRows.denseRows(first, out.rows, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    const rows = this.#workspace.matrix('class vectors', out.rows, this.width);
    this.denseRows(firstClass, rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  /**
   * Add classes at the end, exactly. A collective: every rank gives all new rows, keeps those that are its own and adds
   * all to C and w̄, so that these stay bitwise equal. O(n·d²) on each rank, and 4 bytes a class of its own copied; a
   * few words travel.
   * @param values n×width weights, row by row (zeros for classes that nothing is known of; the bias feature last), the
   * same on all ranks.
   * @param constants one for each new class, when the loss has class constants.
   * @throws OutputLayerError on every rank when one must refuse or they were given different rows; nothing has changed.
   */
  addClasses(values: ArrayLike<number>, constants?: ArrayLike<number>): void {
    this.#calls.check('addClasses');
    const { classes, width } = this;
    const known = this.#step.constants;
    let count = 0;
    const refusal = refusalOf(() => {
      count = checkAddedClasses({ classes, width, hasConstants: known !== undefined }, values, constants);
    });
    const hash = new ArrayChecksum();
    for (const numbers of [values, constants ?? []]) hash.add(Float64Array.from(numbers));
    this.#agreement.begin('addClasses', {
      refusal,
      same: {
        ...this.#step.progress,
        'the number of new classes': count,
        'the checksum of their rows and constants': hash.value,
      },
    });
    using added = createMatrixFrom(this.backend, count, width, values);
    this.#weights.append(added, classes, ownRowsOf(values, width, classes, this.#partition, this.communicator.rank));
    if (constants !== undefined) known?.append(constants);
    this.#partition.rows += count;
    this.#step.generations.watchMap();
  }

  /**
   * The k best classes of each of this rank's own examples. A collective: every rank scores its own classes for the
   * examples of all, so that only the activations and k candidates of each rank travel. O(Σm·D/p·d).
   */
  async topK(hidden: Matrix, k: number): Promise<TopK> {
    this.#calls.check('topK');
    const refusal = refusalOf(() => {
      checkHidden(this, 'topK', hidden);
      if (!Number.isSafeInteger(k) || k < 1 || k > this.classes)
        throw new OutputLayerError(
          'bad-option',
          `topK: k must be a whole number from 1 to ${this.classes} (the classes), got ${k}`,
        );
    });
    return this.#calls.exclusively(() =>
      this.#ranking.topK(this.#extended(hidden, refusal), k, this.#step.constants?.own, this.loss.score, refusal),
    );
  }

  /**
   * The rank (1 is best, a tie counts half) of one class for each of this rank's own examples, among all. A collective.
   * O(Σm·D/p·d).
   */
  async ranksOf(hidden: Matrix, targets: Int32Array): Promise<Float64Array> {
    this.#calls.check('ranksOf');
    const refusal = refusalOf(() => {
      checkHidden(this, 'ranksOf', hidden);
      checkExampleClasses(this, 'ranksOf', hidden, targets);
    });
    return this.#calls.exclusively(() =>
      this.#ranking.ranksOf(
        this.#extended(hidden, refusal),
        targets,
        this.#step.constants?.own,
        this.loss.score,
        refusal,
      ),
    );
  }

  /**
   * How far C, w̄ and U⁻¹ have drifted from the weights. A collective; streams all rows, O(D·d²/p), and changes
   * nothing.
   */
  async verify(): Promise<Verification> {
    this.#begin('verify');
    return this.#calls.exclusively(async () =>
      compareWithExact(this.#workspace, this.#weights, await this.#unionGram(), this.classes),
    );
  }

  /**
   * Convert every row (V = W, U = I) and rebuild C and w̄ in f64. A collective, O(D·d²/p). W changes by rounding only.
   */
  async materialize(): Promise<void> {
    this.#begin('materialize');
    await this.#calls.exclusively(async () => {
      this.#weights.materialize(rowsPerBlock);
      await this.rebuildGram();
    });
  }

  /**
   * This rank's shard: its rows and the replicated matrices. No collective. {@link mergeShards} makes one state of all.
   */
  state(): ModuleState {
    this.#calls.check('state');
    return ownStateOf(this, this.#options, this.#weights, this.#step);
  }

  /**
   * Take over this rank's shard of a checkpoint of as many ranks, or its part of a whole state: of {@link mergeShards},
   * or of the factored layer in one process. A collective. @throws StateError `state-mismatch` on every rank when
   * one must refuse; that rank is as it was, others may have taken theirs over.
   */
  async restore(state: ModuleState): Promise<void> {
    const mine = this.state().configuration;
    await this.#calls.exclusively(async () => {
      await restoreTogether(
        this.#agreement,
        () => restoreOwnState(this, state, mine, this.#weights, this.#step),
        () => this.#step.progress,
      );
      await this.#step.constants?.share(this.communicator, state);
      this.#step.generations.restore(state.configuration['condition']);
    });
  }

  [Symbol.dispose](): void {
    if (!this.#calls.close()) return;
    this.#step[Symbol.dispose]();
    this.#scores[Symbol.dispose]();
    this.#ranking[Symbol.dispose]();
    this.#weights[Symbol.dispose]();
    this.#step.constants?.[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }

  #unionGram(): Promise<GramSums> {
    return computeUnionGram(this.communicator, this.#workspace, this.#weights, this.classes);
  }

  #begin(operation: CollectiveOperation): void {
    this.#calls.check(operation);
    this.#agreement.begin(operation, { same: this.#step.progress });
  }

  #extended(hidden: Matrix, refusal: unknown): Matrix {
    return refusal === undefined
      ? withBiasFeature(this.#workspace, hidden, this.bias)
      : this.#workspace.matrix('nothing', 0, this.width);
  }
}
