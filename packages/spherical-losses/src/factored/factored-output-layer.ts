/**
 * The factored output layer: exact stochastic gradient descent for a D×d output matrix with a spherical loss, at O(d²)
 * per example, independent of D (P. Vincent et al., arXiv:1412.7091 and arXiv:1606.08061). W is never stored and the D
 * outputs are never computed.
 */
import { affine, copyColumns, createMatrixFrom, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import {
  CallGuard,
  checkClassRange,
  checkClassScores,
  checkHidden,
  checkOut,
  checkScores,
  checkStepOptions,
  checkTargets,
  OutputLayerError,
  withBiasFeature,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import { singleTargets, type CsrRows } from '@vastmax/sparse-data';
import type { SphericalLoss } from '../losses/loss.ts';
import {
  appendClassConstants,
  ClassScores,
  createClassConstants,
  normalizeLogs,
  requireProbabilities,
  requireUnnormalized,
} from './class-scores.ts';
import { FactoredStep } from './factored-step.ts';
import { decayFactor, FactoredWeights } from './factored-weights.ts';
import { buildGram, rebuildGram, rowsPerBlock, verifyWeights, type Verification } from './gram-matrix.ts';
import {
  checkAddedClasses,
  checkOptions,
  fillRows,
  isZeroStart,
  type FactoredLayerCounters,
  type FactoredOutputLayerOptions,
} from './layer-options.ts';
import { checkConfiguration, constantSumOf, restoreState, stateOf } from './layer-state.ts';
import { storedRowsOf, type FactoredRows } from './stored-rows.ts';
import type { ModuleState } from '@vastmax/linalg-core/state';

/**
 * Creates the layer. Memory: 4Dd bytes for V (8Dd on an f64 backend), 4 bytes per class and O(d²); the peak is hardly
 * higher. Time: O(D·d²) once, for the Gram matrix of the random start.
 * @throws OutputLayerError `bad-option`; LinalgError `out-of-memory` naming the requested size.
 */
export async function createFactoredOutputLayer(
  backend: Backend,
  options: FactoredOutputLayerOptions,
): Promise<FactoredOutputLayer> {
  checkOptions(options);
  const layer = new FactoredOutputLayer(backend, options);
  try {
    await layer.initialize();
  } catch (error) {
    layer[Symbol.dispose]();
    throw error;
  }
  return layer;
}

/**
 * The exact output layer: weights W = VU + 1ωᵀ of which a step changes few rows of V (arXiv:1412.7091). Created by
 * `createFactoredOutputLayer`.
 */
export class FactoredOutputLayer implements TwoPhaseOutputLayer {
  readonly kind = 'factored';
  readonly backend: Backend;
  readonly features: number;
  readonly loss: SphericalLoss;
  readonly bias: boolean;
  readonly #options: FactoredOutputLayerOptions;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #step: FactoredStep;
  readonly #scores: ClassScores;
  readonly #calls = new CallGuard(this.kind);

  /** Use {@link createFactoredOutputLayer}, which also fills it. */
  constructor(backend: Backend, options: FactoredOutputLayerOptions) {
    this.backend = backend;
    this.features = options.features;
    this.loss = options.loss;
    this.bias = options.bias ?? true;
    this.#options = options;
    this.#workspace = new Workspace(backend);
    this.#weights = new FactoredWeights(backend, options.classes, this.width, this.#workspace);
    this.#weights.onStabilization = options.onStabilization;
    this.#step = new FactoredStep(backend, options, this.#workspace, this.#weights);
    this.#scores = new ClassScores(backend, this.#workspace, this.#weights, this.loss.name);
  }

  get classes(): number {
    return this.#weights.classes;
  }

  /** d, the bias feature included. */
  get width(): number {
    return this.features + (this.bias ? 1 : 0);
  }

  get isNormalized(): boolean {
    return this.loss.isNormalized;
  }

  /** Of losses that rank classes by their outputs. */
  get hasLinearScores(): boolean {
    return this.loss.score === undefined;
  }

  get counters(): FactoredLayerCounters {
    const { steps, singularSteps, repeatedSteps, form } = this.#step;
    const { epoch, applied } = this.#weights.transforms;
    return { steps, rebases: epoch, singularSteps, repeatedSteps, transformsApplied: applied, form };
  }

  /**
   * Fills V, C, w̄ and the class constants. Called once, by createFactoredOutputLayer.
   * @param start writes all of the weights, instead of the rows that the options define.
   */
  async initialize(start?: (weights: FactoredWeights) => Promise<void>): Promise<void> {
    if (start !== undefined) await start(this.#weights);
    else if (!isZeroStart(this.#options)) await this.#fill();
    const { classConstants } = this.loss;
    if (classConstants !== undefined)
      this.#step.constants = createClassConstants(this.backend, classConstants, this.classes);
    this.#step.rebaseControl.watchMap();
  }

  /** The rows that the options define, with C and w̄, which for zeros are the zeros that they are. */
  async #fill(): Promise<void> {
    const { initialRows, onProgress } = this.#options;
    const fillBlock = (first: number, count: number): void => {
      fillRows(this.#weights.rows, first, count, this.#options);
      onProgress?.(first + count, this.classes);
    };
    if (initialRows === undefined) {
      await buildGram(this.#workspace, this.#weights, fillBlock);
      return;
    }
    for (let first = 0; first < this.classes; first += rowsPerBlock)
      fillBlock(first, Math.min(rowsPerBlock, this.classes - first));
    await rebuildGram(this.#workspace, this.#weights);
  }

  /**
   * One exact SGD step: 14md² + 8m²d + ⅔m³ operations for m < d, 14md² + 11d³ for m ≥ d, whatever the number of
   * classes. See {@link OutputLayer.step} for the contract.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return this.#calls.run('step', async () => {
      this.#beginStep(hidden, targets, options);
      return this.#step.step(hidden, targets, options);
    });
  }

  /** Verifies the pending steps: see {@link OutputLayer.confirmSteps}. */
  confirmSteps(): Promise<void> {
    return this.#calls.run('confirmSteps', () => this.#step.confirm());
  }

  prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    return this.#calls.hold('step', async () => {
      this.#beginStep(hidden, targets, options);
      return this.#step.prepare(hidden, targets, options);
    });
  }

  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.run('evaluate', async () => {
      checkHidden(this, 'evaluate', hidden);
      checkTargets(this, 'evaluate', hidden, targets);
      await this.#step.confirm();
      const losses = this.#step.computeLosses(hidden, targets, 'evaluate');
      await this.backend.synchronize();
      return losses;
    });
  }

  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.read(operation, action);
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    this.#scores.range(this.#extended(hidden), firstClass, this.#step.constants, this.loss.score, out);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    this.#scores.each(this.#extended(hidden), classes, this.#step.constants, this.loss.score, out);
  }

  /**
   * log p of one class for each example, of a normalised loss: classes m long, out m×1. O(m·d²).
   * @throws OutputLayerError `bad-option` for a loss that is not normalised.
   */
  classLogProbabilities(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classLogProbabilities');
    checkClassScores(this, 'classLogProbabilities', hidden, classes, out);
    requireProbabilities(this.loss, 'classLogProbabilities');
    const targets = singleTargets(classes, this.classes);
    affine(this.#step.computeLosses(hidden, targets, 'classLogProbabilities'), -1, 0, out);
  }

  /**
   * log p of classes `firstClass` … `firstClass + out.columns - 1` for each example, out m×count. O(m·count·d +
   * count·d²).
   * @throws OutputLayerError `bad-option` for a loss that is not normalised or does not define what its probabilities
   * are proportional to.
   */
  logProbabilities(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('logProbabilities');
    checkScores(this, 'logProbabilities', hidden, firstClass, out);
    const expression = requireUnnormalized(this.loss, 'logProbabilities');
    if (out.columns === 0) return;
    const first = new Int32Array(hidden.rows).fill(firstClass);
    const losses = this.#step.computeLosses(hidden, singleTargets(first, this.classes), 'logProbabilities');
    this.#scores.range(this.#extended(hidden), firstClass, this.#step.constants, expression, out);
    normalizeLogs(this.#workspace, losses, out);
  }

  /**
   * Rows `first` … of W, the dense output weights with the bias feature last. O(count·d²).
   * @param out count×width.
   */
  denseRows(first: number, out: Matrix): void {
    this.#calls.check('denseRows');
    checkOut(this, 'denseRows', out, out.rows, this.width);
    checkClassRange(this, 'denseRows', first, out.rows);
    this.#weights.denseRows(first, out.rows, out);
  }

  /**
   * The rows as the layer stores them, for a search that stays valid while training goes on (@vastmax/top-k). From the
   * first call on the layer notes which rows change: O(touched rows) a step. There is one list of changes, so one index.
   */
  storedRows(): FactoredRows {
    this.#calls.check('storedRows');
    const { table, takeChanged, mapQuery } = storedRowsOf(this.#weights, (hidden) => this.#extended(hidden));
    return {
      table,
      takeChanged: () =>
        this.#calls.read('takeChanged', async () => {
          await this.#step.confirm();
          return takeChanged();
        }),
      mapQuery: (hidden) =>
        this.#calls.read('mapQuery', async () => {
          checkHidden(this, 'mapQuery', hidden);
          if (hidden.rows !== 1)
            throw new OutputLayerError('shape', `mapQuery: hidden has ${hidden.rows} rows; one example is needed`);
          await this.#step.confirm();
          return mapQuery(hidden);
        }),
    };
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.check('classVectors');
    checkOut(this, 'classVectors', out, out.rows, this.features);
    const rows = this.#workspace.matrix('class vectors', out.rows, this.width);
    this.denseRows(firstClass, rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  /**
   * Adds classes at the end, exactly: appends rows of W and updates C and w̄. O(n·d²), plus a copy of 4 bytes per
   * class.
   * @param values n×width weights, row by row (zeros for classes about which nothing is known; the bias feature last).
   * @param constants one for each new class, when the loss has class constants.
   */
  addClasses(values: ArrayLike<number>, constants?: ArrayLike<number>): void {
    this.#calls.checkChange('addClasses');
    this.#checkConfirmed('addClasses');
    const known = this.#step.constants;
    const { classes, width } = this;
    const count = checkAddedClasses({ classes, width, hasConstants: known !== undefined }, values, constants);
    using weights = createMatrixFrom(this.backend, count, width, values);
    this.#weights.append(weights, classes, values);
    if (known !== undefined && constants !== undefined) {
      this.#step.constants = appendClassConstants(known, constants);
    }
    this.#step.rebaseControl.watchMap();
  }

  /** How far C, w̄ and U⁻¹ have drifted from the weights. Reads all rows: O(D·d²). Changes nothing. */
  verify(): Promise<Verification> {
    return this.#calls.run('verify', async () => {
      await this.#step.confirm();
      return verifyWeights(this.#workspace, this.#weights);
    });
  }

  /**
   * Converts every row (V = W, U = I) and recomputes C and w̄ from the rows in f64. O(D·d²). W changes by rounding
   * only.
   */
  materialize(): Promise<void> {
    return this.#calls.run('materialize', async () => {
      await this.#step.confirm();
      this.#calls.willChange();
      this.#weights.materialize(rowsPerBlock);
      await rebuildGram(this.#workspace, this.#weights);
      this.#step.rebaseControl.watchMap();
    });
  }

  state(): ModuleState {
    this.#calls.check('state');
    this.#checkConfirmed('state');
    return this.#calls.stateAsOfNow(this.#state());
  }

  #state(): ModuleState {
    return stateOf(this, this.#options, this.#step, this.#weights, this.#step.constants);
  }

  restore(state: ModuleState): Promise<void> {
    return this.#calls.run('restore', async () => {
      checkConfiguration(this.#state().configuration, state.configuration);
      const step = this.#step;
      this.#calls.willRestore(state);
      await restoreState(state, step, this.#weights, step.constants);
      if (step.constants !== undefined) step.constants = { ...step.constants, sum: constantSumOf(state) };
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#step[Symbol.dispose]();
      this.#scores[Symbol.dispose]();
      this.#weights[Symbol.dispose]();
      this.#step.constants?.table[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.#workspace, hidden, this.bias);
  }

  #beginStep(hidden: Matrix, targets: CsrRows, options: StepOptions): void {
    checkHidden(this, 'step', hidden);
    checkTargets(this, 'step', hidden, targets);
    checkStepOptions(this, hidden.rows, options);
    decayFactor(this.#options, options.learningRate);
    this.#calls.willChange();
  }

  #checkConfirmed(operation: string): void {
    const { pendingSteps } = this.#step;
    if (pendingSteps === 0) return;
    throw new OutputLayerError(
      'busy',
      `factored ${operation}: ${pendingSteps} steps are not verified yet; await confirmSteps() first`,
    );
  }
}
