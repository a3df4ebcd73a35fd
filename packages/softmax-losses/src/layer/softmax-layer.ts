/**
 * An output layer that uses a method (SoftmaxMethod). It checks arguments, allows one call at a time, and divides a
 * step into two halves with one read from the device between them. The first half does not change weights, so a step
 * whose loss is not finite is rejected and the layer stays as it was; the second half cannot fail.
 */
import type { Backend, Matrix } from '@vastmax/linalg-core';
import {
  CallGuard,
  checkClassScores,
  checkClassVectors,
  checkHidden,
  checkScores,
  checkStepOptions,
  checkTargets,
  explainNonFinite,
  StepMonitor,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { UpdateRule } from '@vastmax/update-rules';
import type { SoftmaxMethod, TrainingBatch } from './softmax-method.ts';
import { TargetList } from './target-list.ts';
import { checkSame, checkWholeNumber, type JsonObject, type ModuleState } from '@vastmax/linalg-core/state';

/** `sameHidden` says that `hidden` has not changed since the call before, so that its preparation is kept. */
export interface ScoreOptions {
  /**
   * Set if `hidden` is the same matrix as in the previous call, unchanged. The layer then may reuse what it computed
   * from it.
   */
  readonly sameHidden?: boolean;
}

/**
 * An output layer of a `SoftmaxMethod`: checks, the step, evaluation, ranking and state are the same for all.
 */
export class SoftmaxLayer<Method extends SoftmaxMethod = SoftmaxMethod> implements TwoPhaseOutputLayer {
  readonly backend: Backend;
  /** The mathematics and the weights. */
  readonly method: Method;
  readonly rule: UpdateRule;
  readonly reduction: 'mean' | 'sum';
  readonly #targets = new TargetList();
  readonly #monitor: StepMonitor;
  readonly #calls: CallGuard;
  #factors: Float64Array = new Float64Array(0);
  #steps = 0;
  #hasScored = false;

  /** Takes ownership of the method and its workspace. Use one of the `create…Layer` functions. */
  constructor(method: Method, rule: UpdateRule, reduction: 'mean' | 'sum' = 'mean') {
    this.backend = method.workspace.backend;
    this.method = method;
    this.rule = rule;
    this.reduction = reduction;
    this.#monitor = new StepMonitor(this.backend);
    this.#calls = new CallGuard(method.kind);
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

  get hasLinearScores(): boolean {
    return this.method.hasLinearScores ?? false;
  }

  /** Number of steps, including those before a restored checkpoint. */
  get stepCount(): number {
    return this.#steps;
  }

  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return this.#calls.run('step', async () => (await this.#prepare(hidden, targets, options))());
  }

  prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    return this.#calls.hold('step', async () => ({
      apply: await this.#prepare(hidden, targets, options),
      discard: () => {
        this.method.abandon?.();
      },
    }));
  }

  /**
   * Runs an action that changes the weights of the method between two steps, such as adding classes.
   * @param operation for messages.
   * @throws OutputLayerError `disposed`, `busy`, and what the action throws.
   */
  change(operation: string, action: (method: Method) => void): void {
    this.#calls.checkChange(operation);
    this.#hasScored = false;
    action(this.method);
  }

  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.run('evaluate', async () => {
      checkHidden(this, 'evaluate', hidden);
      checkTargets(this, 'evaluate', hidden, targets);
      this.#hasScored = false;
      this.#targets.build(targets, this.method.ignoredClass);
      const losses = this.method.computeLosses(hidden, this.#targets);
      await this.backend.synchronize();
      return losses;
    });
  }

  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.read(operation, action);
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix, { sameHidden = false }: ScoreOptions = {}): void {
    this.#calls.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    this.method.scores(hidden, firstClass, out, sameHidden && this.#hasScored);
    this.#hasScored = true;
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    this.#hasScored = false;
    this.method.classScores(hidden, classes, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.check('classVectors');
    checkClassVectors(this, 'classVectors', firstClass, out);
    this.method.classVectors(firstClass, out);
  }

  state(): ModuleState {
    this.#calls.check('state');
    const { method } = this;
    return this.#calls.stateAsOfNow({
      configuration: {
        ...this.#fixedConfiguration(),
        steps: this.#steps,
        ...(method.progress === undefined ? {} : { progress: method.progress() }),
      },
      tensors: method.tensors(),
    });
  }

  restore(state: ModuleState): Promise<void> {
    return this.#calls.run('restore', async () => {
      for (const [key, value] of Object.entries(this.#fixedConfiguration()))
        checkSame(`${this.kind} layer`, key, value, state.configuration[key]);
      const steps = checkWholeNumber(`${this.kind} layer`, 'steps', state.configuration['steps']);
      this.#hasScored = false;
      await this.method.checkState(state);
      this.#calls.willRestore(state);
      await this.method.restore(state);
      this.#steps = steps;
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#monitor[Symbol.dispose]();
      this.method[Symbol.dispose]();
      this.method.workspace[Symbol.dispose]();
    });
  }

  /** @returns the second half of the step, which changes the weights. */
  async #prepare(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<() => Promise<StepResult>> {
    checkHidden(this, 'step', hidden);
    checkTargets(this, 'step', hidden, targets);
    checkStepOptions(this, hidden.rows, options);
    const { method } = this;
    const { learningRate, exampleWeights } = options;
    this.#hasScored = false;
    this.#calls.willChange();
    if (hidden.rows === 0) return () => Promise.resolve(this.#emptyStep());
    this.#targets.build(targets, method.ignoredClass);
    const batch: TrainingBatch = {
      hidden,
      targets: this.#targets,
      factors: this.#factorsOf(hidden.rows, exampleWeights),
    };
    const { losses, watched } = await method.forward(batch);
    const isFinite = await this.#monitor.areFinite([hidden, losses, ...watched]);
    if (!isFinite) {
      method.abandon?.();
      throw await explainNonFinite(hidden, losses, { kind: this.kind, step: this.#steps, learningRate });
    }
    return async () => {
      this.#steps++;
      return { losses, hiddenGradient: await method.update(batch, learningRate, this.#steps) };
    };
  }

  /**
   * The step of an empty minibatch: weights and moments do not change, although a rule with momentum would change the
   * weights without a gradient.
   */
  #emptyStep(): StepResult {
    this.#steps++;
    const { workspace } = this.method;
    return {
      losses: workspace.matrix('no losses', 0, 1),
      hiddenGradient: workspace.matrix('no hidden gradient', 0, this.features),
    };
  }

  #factorsOf(examples: number, exampleWeights: ArrayLike<number> | undefined): Float64Array {
    if (this.#factors.length < examples) this.#factors = new Float64Array(Math.ceil(examples * 1.5));
    const scale = this.reduction === 'sum' || examples === 0 ? 1 : 1 / examples;
    for (let example = 0; example < examples; example++) {
      this.#factors[example] = scale * (exampleWeights === undefined ? 1 : exampleWeights[example]!);
    }
    return this.#factors;
  }

  /** The options that a state must agree with. */
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
}
