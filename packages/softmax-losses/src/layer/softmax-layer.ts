/**
 * An output layer around a method: the checks at the boundary, one call at a time, and a step in two halves with one read between them.
 * The first half leaves the weights alone, so a step whose loss is not finite is refused with the layer as it was; the second half
 * cannot fail.
 */
import type { Backend, Matrix } from '@vastmax/linalg-core';
import {
  checkClassRange,
  checkHidden,
  checkStepOptions,
  checkTargets,
  OutputLayerError,
  type JsonObject,
  type ModuleState,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { UpdateRule } from '@vastmax/update-rules';
import { explainNonFinite, FiniteCheck } from './finite-check.ts';
import type { SoftmaxMethod, TrainingBatch } from './softmax-method.ts';
import { TargetList } from './target-list.ts';

export interface ScoreOptions {
  /** `hidden` is the matrix of the call before, unchanged: a layer may then reuse what it computed for it. */
  readonly sameHidden?: boolean;
}

export class SoftmaxLayer<Method extends SoftmaxMethod = SoftmaxMethod> implements TwoPhaseOutputLayer {
  readonly backend: Backend;
  /** The mathematics and the weights. */
  readonly method: Method;
  readonly rule: UpdateRule;
  readonly reduction: 'mean' | 'sum';
  readonly #targets = new TargetList();
  readonly #check: FiniteCheck;
  #factors: Float64Array = new Float64Array(0);
  #steps = 0;
  #isBusy = false;
  #disposed = false;
  #hasScored = false;

  /** Takes over the method and its workspace; use a `create…Layer`. */
  constructor(method: Method, rule: UpdateRule, reduction: 'mean' | 'sum' = 'mean') {
    this.backend = method.workspace.backend;
    this.method = method;
    this.rule = rule;
    this.reduction = reduction;
    this.#check = new FiniteCheck(this.backend);
  }

  get kind(): string {
    return this.method.kind;
  }

  get classes(): number {
    return this.method.classes;
  }

  get features(): number {
    return this.method.features;
  }

  get isNormalized(): boolean {
    return this.method.isNormalized;
  }

  /** Steps taken, those before a restored checkpoint included. */
  get stepCount(): number {
    return this.#steps;
  }

  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return (await this.prepareStep(hidden, targets, options)).apply();
  }

  async prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    this.#checkUsable('step');
    checkHidden(this, 'step', hidden);
    checkTargets(this, 'step', hidden, targets);
    checkStepOptions(this, hidden.rows, options);
    this.#isBusy = true;
    this.#hasScored = false;
    try {
      const update = await this.#prepare(hidden, targets, options);
      return {
        apply: async () => {
          const result = await update();
          this.#isBusy = false;
          return result;
        },
        discard: () => {
          this.method.abandon?.();
          this.#isBusy = false;
        },
      };
    } catch (error) {
      this.#isBusy = false;
      throw error;
    }
  }

  async evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    this.#checkUsable('evaluate');
    checkHidden(this, 'evaluate', hidden);
    checkTargets(this, 'evaluate', hidden, targets);
    this.#hasScored = false;
    this.#targets.build(targets, this.method.ignoredClass);
    const losses = this.method.computeLosses(hidden, this.#targets);
    await this.backend.settled();
    return losses;
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix, { sameHidden = false }: ScoreOptions = {}): void {
    this.#checkUsable('scores');
    checkHidden(this, 'scores', hidden);
    checkClassRange(this, 'scores', firstClass, out.columns);
    this.method.scores(hidden, firstClass, out, sameHidden && this.#hasScored);
    this.#hasScored = true;
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#checkUsable('classScores');
    checkHidden(this, 'classScores', hidden);
    if (classes.length !== hidden.rows) {
      throw new OutputLayerError('shape', `${this.kind} classScores: ${classes.length} classes for ${hidden.rows} examples`);
    }
    for (const target of classes) checkClassRange(this, 'classScores', target, 1);
    this.#hasScored = false;
    this.method.classScores(hidden, classes, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#checkUsable('classVectors');
    checkClassRange(this, 'classVectors', firstClass, out.rows);
    this.method.classVectors(firstClass, out);
  }

  state(): ModuleState {
    this.#checkUsable('state');
    const { method } = this;
    return {
      configuration: { ...this.#fixedConfiguration(), steps: this.#steps, ...(method.progress === undefined ? {} : { progress: method.progress() }) },
      tensors: method.tensors(),
    };
  }

  async restore(state: ModuleState): Promise<void> {
    this.#checkUsable('restore');
    for (const [key, value] of Object.entries(this.#fixedConfiguration())) {
      const expected = JSON.stringify(value);
      const found = JSON.stringify(state.configuration[key]);
      if (expected !== found) {
        throw new OutputLayerError('state-mismatch', `${this.kind} layer: '${key}' is ${found} in the state, ${expected} in the layer`);
      }
    }
    const { steps } = state.configuration;
    if (typeof steps !== 'number' || !Number.isSafeInteger(steps) || steps < 0) {
      throw new OutputLayerError('state-mismatch', `${this.kind} layer: 'steps' in the state is ${String(steps)}, expected a whole number`);
    }
    await this.#exclusively(async () => {
      await this.method.checkState(state);
      await this.method.restore(state);
      this.#steps = steps;
    });
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#check[Symbol.dispose]();
    this.method[Symbol.dispose]();
    this.method.workspace[Symbol.dispose]();
  }

  /** @returns what changes the weights. */
  async #prepare(hidden: Matrix, targets: CsrRows, { learningRate, exampleWeights }: StepOptions): Promise<() => Promise<StepResult>> {
    const { method } = this;
    if (hidden.rows === 0) return () => Promise.resolve(this.#emptyStep());
    this.#targets.build(targets, method.ignoredClass);
    const batch: TrainingBatch = { hidden, targets: this.#targets, factors: this.#factorsOf(hidden.rows, exampleWeights) };
    const { losses, watched } = await method.forward(batch);
    const isFinite = await this.#check.areFinite([hidden, losses, ...watched]);
    if (this.#disposed) throw new OutputLayerError('disposed', `${this.kind} step: the layer was disposed while the step ran`);
    if (!isFinite) {
      method.abandon?.();
      throw await explainNonFinite(hidden, losses, { kind: this.kind, step: this.#steps, learningRate });
    }
    return async () => {
      this.#steps++;
      return { losses, hiddenGradient: await method.update(batch, learningRate, this.#steps) };
    };
  }

  /** No example, no change: a rule with momentum would go on without a gradient. */
  #emptyStep(): StepResult {
    this.#steps++;
    const { workspace } = this.method;
    return { losses: workspace.matrix('no losses', 0, 1), hiddenGradient: workspace.matrix('no hidden gradient', 0, this.features) };
  }

  #factorsOf(examples: number, exampleWeights: ArrayLike<number> | undefined): Float64Array {
    if (this.#factors.length < examples) this.#factors = new Float64Array(Math.ceil(examples * 1.5));
    const scale = this.reduction === 'sum' || examples === 0 ? 1 : 1 / examples;
    for (let example = 0; example < examples; example++) {
      this.#factors[example] = scale * (exampleWeights === undefined ? 1 : exampleWeights[example]!);
    }
    return this.#factors;
  }

  /** What a state must agree with. */
  #fixedConfiguration(): JsonObject {
    const { kind, classes, features, method, rule, reduction } = this;
    return {
      kind,
      classes,
      features,
      precision: this.backend.precision,
      rule: { name: rule.name, options: rule.options },
      reduction,
      ...method.configuration(),
    };
  }

  /** What suspends in the middle keeps other calls out until it is done. */
  async #exclusively<Result>(action: () => Promise<Result>): Promise<Result> {
    this.#isBusy = true;
    this.#hasScored = false;
    try {
      return await action();
    } finally {
      this.#isBusy = false;
    }
  }

  #checkUsable(operation: string): void {
    if (this.#disposed) throw new OutputLayerError('disposed', `${this.kind} ${operation}: the layer was disposed`);
    if (this.#isBusy) throw new OutputLayerError('busy', `${this.kind} ${operation}: an earlier call is still running; await it first`);
  }
}
