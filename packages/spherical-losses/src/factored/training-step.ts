/**
 * One exact step from hidden activations and targets to changed weights. Everything up to the single read of the
 * monitor leaves the weights alone, so a step that must be refused is refused with the layer as it was; everything
 * after it cannot fail.
 *
 * Where a read means to wait for a device, the device judges the step itself, and what changes weights is called under
 * a guard that holds from the first step on which is not regular. The host looks now and then; it then does that step,
 * and those after it, again in the way above: they were kept. So the layer's weights are those of exact SGD on the
 * minibatches that it was given, always. Only the gradients handed back between such a step and the look are of the
 * weights before it.
 */
import { guarded, scaleRows, type Backend, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  OutputLayerError,
  withBiasFeature,
  withoutBiasFeature,
  type StepOptions,
  type StepResult,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { backwardPass } from './backward-pass.ts';
import type { ClassConstants } from './class-constants.ts';
import type { ExactUpdate, UpdateInputs } from './exact-update.ts';
import type { FactoredWeights } from './factored-weights.ts';
import { forwardPass, type ForwardPass } from './forward-pass.ts';
import { GenerationControl } from './generation-control.ts';
import type { FactoredOutputLayerOptions, UpdateForm } from './layer-options.ts';
import { LossEvaluation, type LossInputs } from './loss-evaluation.ts';
import { lossInputsOf } from './loss-inputs.ts';
import { explainNonFinite } from './non-finite.ts';
import { RowFormUpdate } from './row-form-update.ts';
import { SmallBatchUpdate } from './small-batch-update.ts';
import { StepMonitor } from './step-monitor.ts';
import { StepVerdict } from './step-verdict.ts';
import { TargetPairs } from './target-pairs.ts';
import { UnreadSteps } from './unread-steps.ts';

/** A step up to the point where it would change weights. */
interface ComputedStep {
  readonly update: ExactUpdate;
  readonly inputs: UpdateInputs;
  /** The small system. */
  readonly system: Matrix;
}

export class TrainingStep implements Disposable {
  steps = 0;
  singularSteps = 0;
  repeatedSteps = 0;
  form: UpdateForm | undefined;
  /** Set by the layer when the loss has constants. */
  constants: ClassConstants | undefined;
  readonly generations: GenerationControl;
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
  #disposed = false;
  /** Undefined where every step is read. */
  readonly #verdict: StepVerdict | undefined;
  readonly #unread: UnreadSteps;

  constructor(backend: Backend, options: FactoredOutputLayerOptions, workspace: Workspace, weights: FactoredWeights) {
    const { readEachStep = backend.submit === undefined, weightDecay = 0 } = options;
    if (!readEachStep && backend.guard === undefined) {
      throw new OutputLayerError(
        'bad-option',
        `factored layer: readEachStep is false, but the backend '${backend.name}' has no guard; leave the option out`,
      );
    }
    // Decay shrinks U whatever the steps do, which is judged on the host.
    this.#verdict = readEachStep || weightDecay !== 0 ? undefined : new StepVerdict(backend, weights.width);
    this.#unread = new UnreadSteps(workspace);
    this.#options = options;
    this.#workspace = workspace;
    this.#weights = weights;
    this.#lossEvaluation = new LossEvaluation(backend, options.loss, workspace);
    this.#monitor = new StepMonitor(backend);
    this.generations = new GenerationControl(weights, this.#monitor);
  }

  /** A step, looked at before or some steps after it changes the weights. The arguments have been checked. */
  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    if (this.#verdict === undefined || hidden.rows === 0) return (await this.prepare(hidden, targets, options)).apply();
    if (this.#unread.isFull(hidden.rows * this.#weights.width)) await this.confirm();
    return this.#stepUnread(this.#verdict, hidden, targets, options);
  }

  /** All of a step but its changes to the weights. */
  async prepare(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<{ apply(): StepResult }> {
    await this.confirm();
    const extended = withBiasFeature(this.#workspace, hidden, this.#options.bias ?? true);
    return this.#prepareExtended(extended, targets, options);
  }

  /** Steps that the host has not looked at. */
  get unreadSteps(): number {
    return this.#unread.count;
  }

  /**
   * Look at them, and do again from the first that the device refused.
   * @throws OutputLayerError as `step`; the steps after that one are dropped
   */
  async confirm(): Promise<void> {
    const { count } = this.#unread;
    if (this.#verdict === undefined || count === 0) return;
    const { applied, condition } = await this.#verdict.reading();
    this.#checkAlive();
    this.#verdict.reset();
    if (applied === count) {
      this.#unread.accept();
      this.generations.learn(condition);
      return;
    }
    const rest = this.#unread.refuse(applied);
    this.steps -= rest.length;
    this.repeatedSteps += rest.length;
    this.generations.watchMap();
    for (const { hidden, targets, options } of rest) (await this.#prepareExtended(hidden, targets, options)).apply();
  }

  /** Of another state of the layer. */
  forgetUnread(): void {
    this.#unread.forget();
    this.#verdict?.reset();
    this.generations.forget();
  }

  async #prepareExtended(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<{ apply(): StepResult }> {
    const monitor = this.#monitor;
    const { update, inputs, system } = this.#compute(hidden, targets, options, monitor.reciprocalCondition);
    const { gradients, backward } = inputs;
    monitor.watchSquares('system', system);
    monitor.watchLosses(gradients.losses);
    monitor.watchSquares('gradient', backward.hiddenGradient);
    await monitor.update();
    this.#checkAlive();
    const { learningRate } = options;
    if (!Number.isFinite(monitor.value('losses')) || !Number.isFinite(monitor.value('gradient'))) {
      throw await explainNonFinite(hidden, gradients.losses, {
        step: this.steps,
        learningRate,
        loss: this.#options.loss.name,
      });
    }
    return {
      apply: () => {
        this.#apply(update, inputs, system.rows, 1 - learningRate * (this.#options.weightDecay ?? 0));
        return this.#result(inputs);
      },
    };
  }

  #stepUnread(verdict: StepVerdict, hidden: Matrix, targets: CsrRows, options: StepOptions): StepResult {
    const weights = this.#weights;
    const extended = withBiasFeature(this.#workspace, hidden, this.#options.bias ?? true, this.#unread.nextHidden);
    const { update, inputs, system } = this.#compute(extended, targets, options, verdict.reciprocalCondition);
    this.#unread.add(extended, targets, options);
    verdict.watchSquares('system', system);
    verdict.watchLosses(inputs.gradients.losses);
    verdict.watchSquares('gradient', inputs.backward.hiddenGradient);
    verdict.watchSquares('map', weights.map);
    verdict.watchSquares('inverse', weights.inverse);
    verdict.judge();
    guarded(verdict.flag, () => {
      verdict.count();
      update.apply(inputs, 'regular');
    });
    this.steps++;
    this.form = update.form;
    this.generations.endUnreadStep();
    weights.backend.submit?.();
    return this.#result(inputs);
  }

  #compute(
    hidden: Matrix,
    targets: CsrRows,
    { learningRate, exampleWeights }: StepOptions,
    reciprocalCondition: Matrix,
  ): ComputedStep {
    const { loss, reduction } = this.#options;
    const pairs = this.#pairs;
    pairs.build(targets, loss.targetScale);
    const forward = forwardPass(this.#workspace, this.#weights, hidden, pairs, true);
    const factor = reduction === 'sum' || hidden.rows === 0 ? 1 : 1 / hidden.rows;
    const gradients = this.#lossEvaluation.computeGradients(this.#lossInputs(forward), factor, exampleWeights);
    const backward = backwardPass(this.#workspace, this.#weights, forward, gradients, pairs);
    const alphaHidden = this.#workspace.matrix('alpha hidden', forward.hidden.rows, forward.hidden.columns);
    scaleRows(forward.hidden, gradients.alpha, alphaHidden);
    const update = this.#updates[this.#chooseForm(hidden.rows)];
    const { workspace, weights } = { workspace: this.#workspace, weights: this.#weights };
    const inputs: UpdateInputs = {
      workspace,
      weights,
      forward,
      gradients,
      backward,
      pairs,
      learningRate,
      alphaHidden,
      reciprocalCondition,
    };
    return { update, inputs, system: update.solve(inputs) };
  }

  #result({ gradients, backward }: UpdateInputs): StepResult {
    const { losses } = gradients;
    return {
      losses,
      hiddenGradient: withoutBiasFeature(this.#workspace, backward.hiddenGradient, this.#options.features),
    };
  }

  get classes(): number {
    return this.#weights.classes;
  }

  /** m×1, without touching anything. */
  computeLosses(hidden: Matrix, targets: CsrRows): Matrix {
    this.#pairs.build(targets, this.#options.loss.targetScale);
    const extended = withBiasFeature(this.#workspace, hidden, this.#options.bias ?? true);
    return this.#lossEvaluation.computeLosses(
      this.#lossInputs(forwardPass(this.#workspace, this.#weights, extended, this.#pairs, false)),
    );
  }

  #apply(update: ExactUpdate, inputs: UpdateInputs, systemSize: number, decay: number): void {
    const isEmpty = inputs.forward.hidden.rows === 0;
    const isSingular = !isEmpty && this.generations.isSingular;
    update.apply(inputs, isSingular ? 'singular' : 'regular');
    this.generations.endStep(isEmpty ? 0 : systemSize, { isSingular, decay });
    if (isSingular) this.singularSteps++;
    this.steps++;
    this.form = update.form;
  }

  #lossInputs(forward: ForwardPass): LossInputs {
    return lossInputsOf(this.#workspace, forward, this.#pairs, this.classes, this.constants);
  }

  /** The cheaper form by operation count; what both share is left out. */
  #chooseForm(m: number): UpdateForm {
    if (this.#options.form !== undefined) return this.#options.form;
    const d = this.#weights.width;
    const row = 11 * d ** 3 + 4 * this.#pairs.touched * d * d;
    return 8 * m * m * d + (2 / 3) * m ** 3 <= row ? 'small-batch' : 'row';
  }

  #checkAlive(): void {
    if (this.#disposed)
      throw new OutputLayerError('disposed', 'factored step: the layer was disposed while the step ran');
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#lossEvaluation[Symbol.dispose]();
    this.#monitor[Symbol.dispose]();
    this.#verdict?.[Symbol.dispose]();
  }
}
