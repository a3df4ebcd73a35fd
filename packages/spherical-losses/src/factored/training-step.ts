/**
 * One exact step from hidden activations and targets to changed weights. Everything up to the single read of the monitor leaves the weights
 * alone, so a step that must be refused is refused with the layer as it was; everything after it cannot fail.
 */
import { copyColumns, gatherRows, scaleRows, type Backend, type Matrix, type RowTable, type Workspace } from '@vastmax/linalg-core';
import { OutputLayerError, type StepOptions, type StepResult } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { backwardPass } from './backward-pass.ts';
import type { ExactUpdate, UpdateInputs } from './exact-update.ts';
import type { FactoredWeights } from './factored-weights.ts';
import { forwardPass, withBiasFeature, type ForwardPass } from './forward-pass.ts';
import type { FactoredOutputLayerOptions, UpdateForm } from './layer-options.ts';
import { LossEvaluation, type LossInputs } from './loss-evaluation.ts';
import { explainNonFinite } from './non-finite.ts';
import { RowFormUpdate } from './row-form-update.ts';
import { SmallBatchUpdate } from './small-batch-update.ts';
import { conditionGrowth, conditionOf, isSingularSystem, mustClose, thresholdsFor } from './stability.ts';
import { StepMonitor } from './step-monitor.ts';
import { TargetPairs } from './target-pairs.ts';

/** One constant for each class (D×1) and their sum; for losses that have them. */
export interface ClassConstants {
  readonly table: RowTable;
  readonly sum: number;
}

export class TrainingStep implements Disposable {
  steps = 0;
  singularSteps = 0;
  form: UpdateForm | undefined;
  /** Set by the layer when the loss has constants. */
  constants: ClassConstants | undefined;
  readonly #options: FactoredOutputLayerOptions;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #pairs = new TargetPairs();
  readonly #lossEvaluation: LossEvaluation;
  readonly #monitor: StepMonitor;
  readonly #updates: Readonly<Record<UpdateForm, ExactUpdate>> = {
    'small-batch': new SmallBatchUpdate(),
    row: new RowFormUpdate(),
  };
  /** κ is at most this before the next step, as far as it is known without looking at U. */
  #conditionBound = 1;
  /** The next read shows U's and U⁻¹'s norms. */
  #isMapWatched = false;
  #disposed = false;

  constructor(backend: Backend, options: FactoredOutputLayerOptions, workspace: Workspace, weights: FactoredWeights) {
    this.#options = options;
    this.#workspace = workspace;
    this.#weights = weights;
    this.#lossEvaluation = new LossEvaluation(backend, options.loss, workspace);
    this.#monitor = new StepMonitor(backend);
  }

  /** All of a step but its changes to the weights. The arguments have been checked. */
  async prepare(hidden: Matrix, targets: CsrRows, { learningRate, exampleWeights }: StepOptions): Promise<{ apply(): StepResult }> {
    const { loss, reduction, weightDecay = 0 } = this.#options;
    const pairs = this.#pairs;
    pairs.build(targets, loss.targetScale);
    const forward = this.#forward(hidden, true);
    const factor = reduction === 'sum' || hidden.rows === 0 ? 1 : 1 / hidden.rows;
    const gradients = this.#lossEvaluation.computeGradients(this.#lossInputs(forward), factor, exampleWeights);
    const backward = backwardPass(this.#workspace, this.#weights, forward, gradients, pairs);
    const alphaHidden = this.#workspace.matrix('alpha hidden', forward.hidden.rows, forward.hidden.columns);
    scaleRows(forward.hidden, gradients.alpha, alphaHidden);

    const update = this.#updates[this.#chooseForm(hidden.rows)];
    const inputs: UpdateInputs = {
      workspace: this.#workspace,
      weights: this.#weights,
      forward,
      gradients,
      backward,
      pairs,
      learningRate,
      alphaHidden,
      reciprocalCondition: this.#monitor.reciprocalCondition,
    };
    const system = update.solve(inputs);
    this.#monitor.watchSquares('system', system);
    this.#monitor.watchLosses(gradients.losses);
    this.#monitor.watchSquares('gradient', backward.hiddenGradient);
    await this.#monitor.update();
    if (this.#disposed) throw new OutputLayerError('disposed', 'factored step: the layer was disposed while the step ran');
    if (!Number.isFinite(this.#monitor.value('losses')) || !Number.isFinite(this.#monitor.value('gradient'))) {
      throw await explainNonFinite(hidden, gradients.losses, { step: this.steps, learningRate, loss: loss.name });
    }
    return {
      apply: () => {
        this.#apply(update, inputs, system.rows, 1 - learningRate * weightDecay);
        return { losses: gradients.losses, hiddenGradient: this.#withoutBias(backward.hiddenGradient, hidden.columns) };
      },
    };
  }

  get classes(): number {
    return this.#weights.classes;
  }

  /** m×1, without touching anything. */
  computeLosses(hidden: Matrix, targets: CsrRows): Matrix {
    this.#pairs.build(targets, this.#options.loss.targetScale);
    return this.#lossEvaluation.computeLosses(this.#lossInputs(this.#forward(hidden, false)));
  }

  /** To be called when U or U⁻¹ has changed outside a step: the next step's read shows how far U is from the identity. */
  watchMap(): void {
    this.#isMapWatched = true;
    this.#monitor.watchSquares('map', this.#weights.map);
    this.#monitor.watchSquares('inverse', this.#weights.inverse);
  }

  #apply(update: ExactUpdate, inputs: UpdateInputs, systemSize: number, decay: number): void {
    const weights = this.#weights;
    const monitor = this.#monitor;
    const thresholds = thresholdsFor(weights.backend.precision);
    const reciprocalCondition = monitor.value('reciprocalCondition');
    const isEmpty = inputs.forward.hidden.rows === 0;
    const isSingular = !isEmpty && isSingularSystem(reciprocalCondition, monitor.value('system'), thresholds);
    update.apply(inputs, isSingular ? 'singular' : 'regular');
    if (isSingular) this.singularSteps++;
    if (decay !== 1) weights.decay(decay);
    // The numbers are those of the state before this step; the threshold leaves room for one step more.
    let closes = false;
    if (this.#isMapWatched) {
      this.#isMapWatched = false;
      this.#conditionBound = conditionOf(monitor.value('map'), monitor.value('inverse'), weights.width);
      closes = !isSingular && mustClose(monitor.value('map'), monitor.value('inverse'), weights.width, thresholds);
    }
    if (closes) weights.closeGeneration();
    if (closes || isSingular) this.#conditionBound = 1;
    else if (!isEmpty) this.#conditionBound *= conditionGrowth(reciprocalCondition, monitor.value('system'), systemSize);
    weights.sweepOnce();
    this.steps++;
    this.form = update.form;
    // Looking at U costs two passes over d² numbers. Half the threshold makes up for the estimate in the bound; decay shrinks U unseen.
    if (decay !== 1 || !(this.#conditionBound <= thresholds.condition / 2)) this.watchMap();
  }

  #forward(hidden: Matrix, store: boolean): ForwardPass {
    const extended = withBiasFeature(this.#workspace, hidden, this.#options.bias ?? true);
    return forwardPass(this.#workspace, this.#weights, extended, this.#pairs, store);
  }

  #lossInputs(forward: ForwardPass): LossInputs {
    let constants: Matrix | undefined;
    if (this.constants !== undefined) {
      constants = this.#workspace.matrix('pair constants', this.#pairs.count, 1);
      const classes = this.#workspace.indices('pair classes', this.#pairs.pairClasses, this.#pairs.count);
      gatherRows(this.constants.table, classes, constants);
    }
    return {
      squaredDeviations: forward.squaredDeviations,
      outputSum: forward.outputSum,
      outputs: forward.outputs,
      constants,
      constantSum: this.constants?.sum ?? 0,
      pairs: this.#pairs,
      pairRows: forward.pairRows,
      classes: this.#weights.classes,
    };
  }

  /** The cheaper form by operation count; what both share is left out. */
  #chooseForm(m: number): UpdateForm {
    if (this.#options.form !== undefined) return this.#options.form;
    const d = this.#weights.width;
    const row = 11 * d ** 3 + 4 * this.#pairs.touched * d * d;
    return 8 * m * m * d + (2 / 3) * m ** 3 <= row ? 'small-batch' : 'row';
  }

  #withoutBias(gradient: Matrix, features: number): Matrix {
    if (gradient.columns === features) return gradient;
    const narrow = this.#workspace.matrix('hidden gradient without bias', gradient.rows, features);
    copyColumns(gradient, 0, narrow, 0, features);
    return narrow;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#lossEvaluation[Symbol.dispose]();
    this.#monitor[Symbol.dispose]();
  }
}
