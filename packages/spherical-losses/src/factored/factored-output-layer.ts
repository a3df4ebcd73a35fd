/**
 * The factored output layer: exact stochastic gradient descent for a D×d output matrix with a spherical loss, at O(d²)
 * an example whatever D is (P. Vincent et al., arXiv:1412.7091 and arXiv:1606.08061). W is never stored and the outputs
 * are never computed.
 */
import { affine, copyColumns, createMatrixFrom, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import { findTensor, restoreTable, tableTensor, type ModuleState } from '@vastmax/linalg-core/state';
import {
  CallGuard,
  checkClassRange,
  checkExampleClasses,
  checkHidden,
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
import type { SphericalLoss } from '../loss.ts';
import { FactoredWeights } from './factored-weights.ts';
import { computeGram, rowsPerBlock, storeGram } from './gram-matrix.ts';
import { appendClassConstants, createClassConstants } from './class-constants.ts';
import { normalizeLogs, requireProbabilities, requireUnnormalized } from './class-probabilities.ts';
import { ClassScores } from './class-scores.ts';
import { fillRows } from './initial-rows.ts';
import {
  checkAddedClasses,
  checkDecay,
  checkOptions,
  type FactoredLayerCounters,
  type FactoredOutputLayerOptions,
} from './layer-options.ts';
import {
  checkConfiguration,
  configurationOf,
  constantSumOf,
  restoreWeights,
  stateOf,
  stepCountsOf,
} from './layer-state.ts';
import { TrainingStep } from './training-step.ts';
import { verifyWeights, type Verification } from './verification.ts';

/**
 * Create the layer. Memory: 4Dd bytes for V (8Dd on an f64 backend), 4 bytes a class and O(d²); the peak is hardly
 * more. Time: O(D·d²) once, for the Gram matrix of the random start.
 * @throws OutputLayerError `bad-option`; LinalgError `out-of-memory` naming the size asked for.
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

export class FactoredOutputLayer implements TwoPhaseOutputLayer {
  readonly kind = 'factored';
  readonly backend: Backend;
  readonly features: number;
  readonly loss: SphericalLoss;
  readonly bias: boolean;
  readonly #options: FactoredOutputLayerOptions;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #trainingStep: TrainingStep;
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
    this.#trainingStep = new TrainingStep(backend, options, this.#workspace, this.#weights);
    this.#scores = new ClassScores(backend, this.#workspace, this.#weights);
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

  get counters(): FactoredLayerCounters {
    return {
      steps: this.#trainingStep.steps,
      generationsClosed: this.#weights.ladder.current,
      singularSteps: this.#trainingStep.singularSteps,
      repeatedSteps: this.#trainingStep.repeatedSteps,
      mapsApplied: this.#weights.ladder.mapsApplied,
      form: this.#trainingStep.form,
    };
  }

  /** Fill V, C and w̄ and the class constants. Called once, by createFactoredOutputLayer. */
  async initialize(): Promise<void> {
    fillRows(this.#weights.rows, this.#options);
    await this.#rebuildGram();
    const { classConstants } = this.loss;
    if (classConstants !== undefined)
      this.#trainingStep.constants = createClassConstants(this.backend, classConstants, this.classes);
    this.#trainingStep.generations.watchMap();
  }

  /**
   * One exact SGD step: 14md² + 8m²d + ⅔m³ operations for m < d, 14md² + 11d³ for m ≥ d, whatever the number of
   * classes. See {@link OutputLayer.step} for the contract.
   */
  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    this.#checkStep(hidden, targets, options);
    return this.#calls.exclusively(() => this.#trainingStep.step(hidden, targets, options));
  }

  /** Where steps are looked at late: see {@link OutputLayer.confirmSteps}. */
  async confirmSteps(): Promise<void> {
    this.#calls.check('confirmSteps');
    await this.#calls.exclusively(() => this.#trainingStep.confirm());
  }

  async prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    this.#checkStep(hidden, targets, options);
    return this.#calls.hold(() => this.#trainingStep.prepare(hidden, targets, options));
  }

  async evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    this.#calls.check('evaluate');
    checkHidden(this, 'evaluate', hidden);
    checkTargets(this, 'evaluate', hidden, targets);
    await this.confirmSteps();
    const losses = this.#trainingStep.computeLosses(hidden, targets);
    await this.backend.synchronize();
    return losses;
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('scores');
    checkHidden(this, 'scores', hidden);
    checkClassRange(this, 'scores', firstClass, out.columns);
    const { constants } = this.#trainingStep;
    this.#scores.range(
      withBiasFeature(this.#workspace, hidden, this.bias),
      firstClass,
      constants,
      this.loss.score,
      out,
    );
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkHidden(this, 'classScores', hidden);
    checkExampleClasses(this, 'classScores', hidden, classes);
    const { constants } = this.#trainingStep;
    this.#scores.each(withBiasFeature(this.#workspace, hidden, this.bias), classes, constants, this.loss.score, out);
  }

  /**
   * log p of one class for each example, of a normalised loss: classes m long, out m×1. O(m·d²).
   * @throws OutputLayerError `bad-option` for a loss that is not normalised.
   */
  classLogProbabilities(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classLogProbabilities');
    checkHidden(this, 'classLogProbabilities', hidden);
    checkExampleClasses(this, 'classLogProbabilities', hidden, classes);
    requireProbabilities(this.loss, 'classLogProbabilities');
    affine(this.#trainingStep.computeLosses(hidden, singleTargets(classes, this.classes)), -1, 0, out);
  }

  /**
   * log p of classes `firstClass` … `firstClass + out.columns - 1` for each example, out m×count. O(m·count·d +
   * count·d²).
   * @throws OutputLayerError `bad-option` for a loss that is not normalised or does not say what its probabilities are
   * proportional to.
   */
  logProbabilities(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('logProbabilities');
    checkHidden(this, 'logProbabilities', hidden);
    checkClassRange(this, 'logProbabilities', firstClass, out.columns);
    const expression = requireUnnormalized(this.loss, 'logProbabilities');
    if (out.columns === 0) return;
    const losses = this.#trainingStep.computeLosses(
      hidden,
      singleTargets(new Int32Array(hidden.rows).fill(firstClass), this.classes),
    );
    this.#scores.range(
      withBiasFeature(this.#workspace, hidden, this.bias),
      firstClass,
      this.#trainingStep.constants,
      expression,
      out,
    );
    normalizeLogs(this.#workspace, losses, out);
  }

  /**
   * Rows `first` … of W, the dense output weights with the bias feature last. O(count·d²).
   * @param out count×width.
   */
  denseRows(first: number, out: Matrix): void {
    this.#calls.check('denseRows');
    checkClassRange(this, 'denseRows', first, out.rows);
    this.#weights.denseRows(first, out.rows, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    const rows = this.#workspace.matrix('class vectors', out.rows, this.width);
    this.denseRows(firstClass, rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  /**
   * Add classes at the end, exactly: new rows of W, C and w̄ updated. O(n·d²), plus 4 bytes a class copied.
   * @param values n×width weights, row by row (zeros for classes that nothing is known of; the bias feature last).
   * @param constants one for each new class, when the loss has class constants.
   */
  addClasses(values: ArrayLike<number>, constants?: ArrayLike<number>): void {
    this.#calls.check('addClasses');
    this.#checkConfirmed('addClasses');
    const known = this.#trainingStep.constants;
    const { classes, width } = this;
    const count = checkAddedClasses({ classes, width, hasConstants: known !== undefined }, values, constants);
    using weights = createMatrixFrom(this.backend, count, width, values);
    this.#weights.append(weights, classes, values);
    if (known !== undefined && constants !== undefined) {
      this.#trainingStep.constants = appendClassConstants(known, constants);
    }
    this.#trainingStep.generations.watchMap();
  }

  /** How far C, w̄ and U⁻¹ have drifted from the weights. Streams all rows: O(D·d²), changes nothing. */
  async verify(): Promise<Verification> {
    this.#calls.check('verify');
    await this.confirmSteps();
    return this.#calls.exclusively(() => verifyWeights(this.#workspace, this.#weights));
  }

  /**
   * Convert every row (V = W, U = I) and rebuild C and w̄ from the rows in f64. O(D·d²). W changes by rounding only.
   */
  async materialize(): Promise<void> {
    this.#calls.check('materialize');
    await this.confirmSteps();
    await this.#calls.exclusively(async () => {
      this.#weights.materialize(rowsPerBlock);
      await this.#rebuildGram();
      this.#trainingStep.generations.watchMap();
    });
  }

  state(): ModuleState {
    this.#calls.check('state');
    this.#checkConfirmed('state');
    return this.#state();
  }

  #state(): ModuleState {
    const { constants } = this.#trainingStep;
    const { configuration, tensors } = stateOf(this.#weights, configurationOf(this, this.#options, this.#trainingStep));
    return {
      configuration,
      tensors: constants === undefined ? tensors : [...tensors, tableTensor('class_constants', constants.table)],
    };
  }

  async restore(state: ModuleState): Promise<void> {
    this.#calls.check('restore');
    checkConfiguration(this.#state().configuration, state.configuration, [
      'kind',
      'classes',
      'features',
      'bias',
      'loss',
      'precision',
    ]);
    const { steps, singularSteps } = stepCountsOf(state);
    const { constants } = this.#trainingStep;
    const constantSum = constantSumOf(state);
    if (constants !== undefined) findTensor(state, 'class_constants', this.classes, 1);
    await this.#calls.exclusively(async () => {
      await restoreWeights(this.#weights, state);
      if (constants !== undefined) {
        await restoreTable(state, 'class_constants', constants.table);
        this.#trainingStep.constants = { table: constants.table, sum: constantSum };
      }
      this.#trainingStep.forgetUnread();
      this.#trainingStep.steps = steps;
      this.#trainingStep.singularSteps = singularSteps;
      this.#trainingStep.generations.restore(state.configuration['condition']);
    });
  }

  [Symbol.dispose](): void {
    if (!this.#calls.close()) return;
    this.#trainingStep[Symbol.dispose]();
    this.#scores[Symbol.dispose]();
    this.#weights[Symbol.dispose]();
    this.#trainingStep.constants?.table[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }

  async #rebuildGram(): Promise<void> {
    const sums = await computeGram(this.#workspace, this.classes, this.width, (first, count, out) =>
      this.#weights.denseRows(first, count, out),
    );
    storeGram(sums, this.#weights.centredGram, this.#weights.columnSum);
  }

  #checkStep(hidden: Matrix, targets: CsrRows, options: StepOptions): void {
    this.#calls.check('step');
    checkHidden(this, 'step', hidden);
    checkTargets(this, 'step', hidden, targets);
    checkStepOptions(this, hidden.rows, options);
    checkDecay(this.#options, options.learningRate);
  }

  #checkConfirmed(operation: string): void {
    const { unreadSteps } = this.#trainingStep;
    if (unreadSteps === 0) return;
    throw new OutputLayerError(
      'busy',
      `factored ${operation}: ${unreadSteps} steps have not been looked at yet; await confirmSteps() first`,
    );
  }
}
