/**
 * One exact step from hidden activations and targets to changed weights. No weight changes before the monitor is read,
 * so a step that must be rejected leaves the layer unchanged; the operations after that read cannot fail.
 *
 * Over many ranks it is the same step with two exchanges (rank-exchange.ts): rows of V are fetched from the ranks that
 * store them, and sums over the examples are added over the ranks. In one process neither happens.
 *
 * Where a read has to wait for a device, steps are verified asynchronously (step-verification.ts): operations that
 * change weights have an effect only while every step was regular. The host repeats a step that the device rejected, in
 * the synchronous way above, and then the steps after it. So the layer's weights are always those of exact SGD on the
 * given minibatches. Only the gradients returned between such a step and its verification were computed with the
 * weights before it.
 */
import { guarded, type Backend, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  explainNonFinite,
  OutputLayerError,
  StepMonitor,
  withBiasFeature,
  withoutBiasFeature,
  type PendingStep,
  type StepOptions,
  type StepResult,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { backwardPass, LossEvaluation, type LossInputs } from './backward-pass.ts';
import type { ClassConstants } from './class-scores.ts';
import { cheaperForm, SmallBatchUpdate, type ExactUpdate, type UpdateInputs } from './exact-update.ts';
import { decayFactor, type FactoredWeights } from './factored-weights.ts';
import { forwardPass, TargetPairs } from './forward-pass.ts';
import { Preconditioner } from './preconditioner.ts';
import type { FactoredOutputLayerOptions, UpdateForm } from './layer-options.ts';
import type { RankExchange } from './rank-exchange.ts';
import { places, RebaseControl } from './rebase-control.ts';
import { Regularizers } from './regularizers.ts';
import { RowFormUpdate } from './row-form.ts';
import { AcceptMask, PendingSteps } from './step-verification.ts';

/** The exact step: products, gradients of the loss, update, and the checks that it did not go wrong. */
export class FactoredStep implements Disposable {
  steps = 0;
  singularSteps = 0;
  repeatedSteps = 0;
  form: UpdateForm | undefined;
  /** Set by the layer when the loss has constants. */
  constants: ClassConstants | undefined;
  readonly rebaseControl: RebaseControl;
  /** Undefined for plain SGD. */
  readonly preconditioner: Preconditioner | undefined;
  /** The pairs of the current minibatch. */
  readonly pairs: TargetPairs = new TargetPairs();
  readonly #options: FactoredOutputLayerOptions;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #exchange: RankExchange | undefined;
  readonly #lossEvaluation: LossEvaluation;
  readonly #monitor: StepMonitor;
  readonly #smallBatch = new SmallBatchUpdate();
  readonly #rowForm = new RowFormUpdate();
  /** Undefined where every step is verified before it changes a weight. */
  readonly #mask: AcceptMask | undefined;
  readonly #pending: PendingSteps;
  readonly #regularizers: Regularizers | undefined;

  constructor(
    backend: Backend,
    options: FactoredOutputLayerOptions,
    workspace: Workspace,
    weights: FactoredWeights,
    exchange?: RankExchange,
  ) {
    const { verifyEachStep = backend.submit === undefined, weightDecay = 0 } = options;
    if (!verifyEachStep && backend.guard === undefined)
      throw new OutputLayerError(
        'bad-option',
        `factored layer: verifyEachStep is false, but the backend '${backend.name}' has no guard; leave the option out`,
      );
    this.#options = options;
    this.#workspace = workspace;
    this.#weights = weights;
    this.#exchange = exchange;
    this.#lossEvaluation = new LossEvaluation(backend, options.loss, workspace);
    this.#monitor = new StepMonitor(backend);
    this.rebaseControl = new RebaseControl(weights, this.#monitor);
    const { preconditioner } = options;
    if (preconditioner !== undefined) this.preconditioner = new Preconditioner(backend, weights.width, preconditioner);
    this.#pending = new PendingSteps(workspace);
    this.#regularizers = Regularizers.of(backend, options, workspace, weights);
    if (this.#regularizers !== undefined && exchange !== undefined)
      throw new OutputLayerError(
        'bad-option',
        'factored layer: rowDecay and spreadOut are for one process, not for many ranks; leave them out',
      );
    // Decay shrinks U even without a regular step, and the ranks must make the same decision for each step: both need
    // the host.
    if (verifyEachStep || weightDecay !== 0 || this.#regularizers !== undefined || exchange !== undefined) return;
    this.#mask = new AcceptMask(backend, this.#monitor, weights.width);
  }

  /** Steps that are not verified yet. */
  get pendingSteps(): number {
    return this.#pending.count;
  }

  /** The step is verified before it changes the weights, or some steps later. The arguments have been checked. */
  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    if (this.#mask === undefined || hidden.rows === 0) return (await this.prepare(hidden, targets, options)).apply();
    const isDue = this.preconditioner?.isDue(this.steps) === true;
    if (isDue || this.#pending.isFull(hidden.rows * this.#weights.width)) await this.confirm();
    if (isDue) await this.preconditioner?.refresh();
    return this.#stepPending(this.#mask, hidden, targets, options);
  }

  /**
   * All of a step except its changes to the weights. Over ranks a collective.
   * @param localError over ranks, why this rank rejects the step: the other arguments are then not used.
   */
  async prepare(hidden: Matrix, targets: CsrRows, options: StepOptions, localError?: unknown): Promise<PendingStep> {
    if (this.#exchange !== undefined)
      return this.#prepareOverRanks(this.#exchange, hidden, targets, options, localError);
    await this.confirm();
    return this.#prepareExtended(this.#extended(hidden), targets, options);
  }

  /**
   * Verifies the pending steps, and repeats them from the first that the device rejected.
   * @throws OutputLayerError as `step`; the steps after that one are dropped
   */
  async confirm(): Promise<void> {
    if (this.#mask === undefined || this.#pending.count === 0) return;
    const { count } = this.#pending;
    const { applied, condition } = await this.#mask.read();
    this.#mask.reset();
    if (applied > 0) this.preconditioner?.commit();
    if (applied === count) {
      this.#pending.accept();
      this.rebaseControl.adjustInterval(condition);
      return;
    }
    const rest = this.#pending.refuse(applied);
    this.steps -= rest.length;
    this.repeatedSteps += rest.length;
    this.rebaseControl.watchMap();
    for (const { hidden, targets, options } of rest)
      await (await this.#prepareExtended(hidden, targets, options)).apply();
  }

  /** Drops the pending steps: they belong to another state of the layer. */
  forgetPending(): void {
    this.#pending.forget();
    this.#mask?.reset();
    this.rebaseControl.forget();
  }

  buildPairs(targets: CsrRows): void {
    this.pairs.build(targets, this.#options.loss.targetScale);
  }

  /**
   * The losses, m×1; changes nothing. @param targets left out if the pairs are built and, over ranks, their rows
   * fetched. @param operation of the layer; each has a matrix of its own for the result.
   */
  computeLosses(hidden: Matrix, targets: CsrRows | undefined, operation: string): Matrix {
    if (targets !== undefined) this.buildPairs(targets);
    return this.#lossEvaluation.computeLosses(this.#forward(this.#extended(hidden), false), `losses of ${operation}`);
  }

  /** @param hidden with the bias feature. */
  async #prepareExtended(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PendingStep> {
    if (this.preconditioner?.isDue(this.steps) === true) await this.preconditioner.refresh();
    this.buildPairs(targets);
    await this.#regularizers?.prepare(this.pairs, options.learningRate);
    const inputs = this.#compute(hidden, options, hidden.rows);
    const update = this.#chooseUpdate(hidden.rows);
    const system = this.#solve(update, inputs);
    this.#watchLossAndGradient(inputs);
    await this.#monitor.read();
    if (!this.rebaseControl.isFinite) throw await this.#explain(inputs);
    return this.#held(update, inputs, hidden.rows === 0 ? 0 : system.rows);
  }

  async #prepareOverRanks(
    exchange: RankExchange,
    hidden: Matrix,
    targets: CsrRows,
    options: StepOptions,
    localError: unknown,
  ): Promise<PendingStep> {
    if (localError === undefined) this.buildPairs(targets);
    const { pairs, steps } = this;
    const batch = { pairs, examples: hidden.rows, learningRate: options.learningRate, steps };
    const { totalExamples, isReplaced } = await exchange.fetchRows(batch, localError);
    if (isReplaced) this.rebaseControl.watchMap();
    let own: UpdateInputs | undefined;
    let error: unknown;
    try {
      const computed = this.#compute(this.#extended(hidden), options, totalExamples);
      this.#watchLossAndGradient(computed);
      await this.#monitor.read();
      if (!this.rebaseControl.isFinite) throw await this.#explain(computed);
      own = computed;
    } catch (caught) {
      error = caught;
    }
    const globalSums = await exchange.addUp(own, error);
    if (own === undefined) throw error;
    // From here on every rank has the same numbers and makes the same decisions.
    const inputs: UpdateInputs = { ...own, globalSums };
    const system = this.#solve(this.#rowForm, inputs);
    await this.#monitor.read();
    return this.#held(this.#rowForm, inputs, totalExamples === 0 ? 0 : system.rows);
  }

  #stepPending(mask: AcceptMask, hidden: Matrix, targets: CsrRows, options: StepOptions): StepResult {
    const weights = this.#weights;
    const extended = this.#extended(hidden, this.#pending.nextHidden);
    this.buildPairs(targets);
    const inputs = this.#compute(extended, options, hidden.rows);
    const update = this.#chooseUpdate(hidden.rows);
    this.#solve(update, inputs);
    this.#pending.add(extended, targets, options);
    this.#watchLossAndGradient(inputs);
    this.rebaseControl.watchMap();
    mask.computeAcceptMask();
    guarded(mask.mask, () => {
      mask.count();
      this.#update(update, inputs, 'regular');
    });
    this.steps++;
    this.form = update.form;
    this.rebaseControl.endPendingStep();
    weights.backend.submit?.();
    return this.#result(inputs);
  }

  /** @param totalExamples m over all ranks; a mean is over these. */
  #compute(hidden: Matrix, { learningRate, exampleWeights }: StepOptions, totalExamples: number): UpdateInputs {
    const workspace = this.#workspace;
    const weights = this.#weights;
    const lossInputs = this.#forward(hidden, true);
    const factor = this.#options.reduction === 'sum' || totalExamples === 0 ? 1 : 1 / totalExamples;
    const gradients = this.#lossEvaluation.computeGradients(lossInputs, factor, exampleWeights);
    const backward = backwardPass(workspace, weights, lossInputs, gradients);
    const rightFactor = this.preconditioner?.apply(workspace, hidden) ?? hidden;
    return { ...lossInputs, workspace, weights, gradients, backward, rightFactor, learningRate, globalSums: undefined };
  }

  #update(update: ExactUpdate, inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    update.apply(inputs, kind);
    this.preconditioner?.observe(inputs.forward.hidden);
  }

  #forward(hidden: Matrix, store: boolean): LossInputs {
    const { pairs, constants } = this;
    const weights = this.#weights;
    const rows = this.#exchange ?? weights;
    return {
      forward: forwardPass(this.#workspace, weights, rows, hidden, pairs, store),
      pairs,
      classes: rows.classes,
      constants,
    };
  }

  #solve(update: ExactUpdate, inputs: UpdateInputs): Matrix {
    const system = update.solve(inputs, this.#monitor.slot(places.reciprocalCondition));
    this.#monitor.watchSquares(places.system, system);
    return system;
  }

  #watchLossAndGradient({ gradients, backward }: UpdateInputs): void {
    this.#monitor.watchSum(places.losses, gradients.losses);
    this.#monitor.watchSquares(places.gradient, backward.hiddenGradient);
  }

  #explain({ forward, gradients, learningRate }: UpdateInputs): Promise<OutputLayerError> {
    return explainNonFinite(forward.hidden, gradients.losses, {
      kind: 'factored',
      step: this.steps,
      learningRate,
      loss: this.#options.loss.name,
      remedies: ['smaller hidden activations', 'a random start with a larger initialScale'],
    });
  }

  #held(update: ExactUpdate, inputs: UpdateInputs, systemSize: number): PendingStep {
    return {
      apply: () => {
        const isSingular = systemSize > 0 && this.rebaseControl.isSingular;
        this.#update(update, inputs, isSingular ? 'singular' : 'regular');
        this.preconditioner?.commit();
        this.#regularizers?.apply(inputs.pairs, inputs.forward.slotClasses, inputs.learningRate);
        const decay = decayFactor(this.#options, inputs.learningRate);
        const isGrowthBounded = this.preconditioner === undefined && this.#regularizers === undefined;
        this.rebaseControl.endStep({ systemSize, isSingular, decay, isGrowthBounded });
        if (isSingular) this.singularSteps++;
        this.steps++;
        this.form = update.form;
        return this.#result(inputs);
      },
    };
  }

  #result({ gradients, backward }: UpdateInputs): StepResult {
    const hiddenGradient = withoutBiasFeature(this.#workspace, backward.hiddenGradient, this.#options.features);
    return { losses: gradients.losses, hiddenGradient };
  }

  #extended(hidden: Matrix, name?: string): Matrix {
    return withBiasFeature(this.#workspace, hidden, this.#options.bias ?? true, name);
  }

  #chooseUpdate(m: number): ExactUpdate {
    const { form = cheaperForm(m, this.#weights.width, this.pairs.touched) } = this.#options;
    return form === 'row' ? this.#rowForm : this.#smallBatch;
  }

  [Symbol.dispose](): void {
    this.#lossEvaluation[Symbol.dispose]();
    this.#monitor[Symbol.dispose]();
    this.#mask?.[Symbol.dispose]();
    this.#regularizers?.[Symbol.dispose]();
    this.preconditioner?.[Symbol.dispose]();
  }
}
