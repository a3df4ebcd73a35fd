/**
 * A dense softmax over the F most frequent classes and one more for all others, the tail, whose classes share an exact factored layer with a
 * normalised spherical loss. It is a distribution over all D classes, and a step costs the same for any D:
 *
 *     p(c | h) = softmax(g)_c                              c in the head
 *     p(c | h) = softmax(g)_F · (o_c² + ε_c)/(q + Σε)      c in the tail, with the log-spherical loss (arXiv:1511.05042) and one ε a class
 *
 * The loss is −log p(c | h), so head and tail train at their own rates on the same loss, and the tail sees only the examples whose
 * target is a tail class. Both layers look at their numbers before either changes a weight.
 */
import {
  axpy,
  binary,
  copy,
  copyColumns,
  gatherRows,
  scatterAddRows,
  scatterRows,
  Workspace,
  type Backend,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import {
  checkClassRange,
  checkHidden,
  checkStepOptions,
  checkTargets,
  OutputLayerError,
  type ModuleState,
  type OutputLayer,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import { checkJoinedState, joinedState, partOf } from './joined-state.ts';
import { SplitTargets } from './split-targets.ts';

export interface HybridParts {
  /** Over F + 1 classes, the last of which stands for the tail. */
  readonly head: TwoPhaseOutputLayer;
  /** Over the D − F classes of the tail, with a normalised loss, summed over its examples. */
  readonly tail: FactoredOutputLayer;
  /** What the step's learning rate is multiplied by for each. */
  readonly headRate: number;
  readonly tailRate: number;
  readonly reduction: 'mean' | 'sum';
}

export class HybridOutputLayer implements OutputLayer {
  readonly kind = 'hybrid';
  readonly isNormalized = true;
  readonly backend: Backend;
  readonly head: TwoPhaseOutputLayer;
  readonly tail: FactoredOutputLayer;
  readonly headRate: number;
  readonly tailRate: number;
  readonly reduction: 'mean' | 'sum';
  readonly #workspace: Workspace;
  readonly #targets: SplitTargets;
  #tailWeights: Float64Array = new Float64Array(0);
  #isBusy = false;
  #disposed = false;

  /** Takes over both layers. Use {@link createHybridOutputLayer}, which makes them. */
  constructor({ head, tail, headRate, tailRate, reduction }: HybridParts) {
    this.backend = head.backend;
    this.head = head;
    this.tail = tail;
    this.headRate = headRate;
    this.tailRate = tailRate;
    this.reduction = reduction;
    this.#workspace = new Workspace(this.backend);
    this.#targets = new SplitTargets(this.headSize, this.classes);
  }

  /** F: classes 0 … F − 1 are the head. */
  get headSize(): number {
    return this.head.classes - 1;
  }

  get classes(): number {
    return this.headSize + this.tail.classes;
  }

  get features(): number {
    return this.head.features;
  }

  /** 6m(F + 1)d operations for the head, a factored step for the examples of the tail; nothing depends on D. See {@link OutputLayer.step}. */
  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    this.#checkUsable('step');
    checkHidden(this, 'step', hidden);
    checkTargets(this, 'step', hidden, targets);
    checkStepOptions(this, hidden.rows, options);
    this.#isBusy = true;
    let head: PreparedStep | undefined;
    try {
      const { learningRate } = options;
      this.#targets.build(targets);
      head = await this.head.prepareStep(hidden, this.#targets.head, { ...options, learningRate: this.headRate * learningRate });
      const rows = this.#tailRows();
      const tail = await this.tail.prepareStep(this.#ofTail(hidden, rows), this.#targets.tail, {
        learningRate: this.tailRate * learningRate,
        exampleWeights: this.#tailExampleWeights(hidden.rows, options.exampleWeights),
      });
      const headResult = await head.apply();
      const tailResult = await tail.apply();
      return {
        losses: this.#joined('losses', headResult.losses, tailResult.losses, rows),
        hiddenGradient: this.#joined('hidden gradient', headResult.hiddenGradient, tailResult.hiddenGradient, rows),
      };
    } catch (error) {
      head?.discard();
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  /** −log p of the targets in O(Fd + d²), whatever D is. */
  async evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    this.#checkUsable('evaluate');
    checkHidden(this, 'evaluate', hidden);
    checkTargets(this, 'evaluate', hidden, targets);
    this.#targets.build(targets);
    const rows = this.#tailRows();
    const head = await this.head.evaluate(hidden, this.#targets.head);
    const tail = await this.tail.evaluate(this.#ofTail(hidden, rows), this.#targets.tail);
    return this.#joined('losses', head, tail, rows);
  }

  /** Logits g of the head; g_F + log p(c | tail) for the tail, which are log p(c) up to a number that belongs to the example. */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#checkUsable('scores');
    checkHidden(this, 'scores', hidden);
    checkClassRange(this, 'scores', firstClass, out.columns);
    const m = hidden.rows;
    const headColumns = Math.max(0, Math.min(this.headSize - firstClass, out.columns));
    if (headColumns === out.columns) {
      this.head.scores(hidden, firstClass, out);
      return;
    }
    const tail = headColumns === 0 ? out : this.#workspace.matrix('tail scores', m, out.columns - headColumns);
    this.tail.logProbabilities(hidden, Math.max(0, firstClass - this.headSize), tail);
    const tailLogit = this.#workspace.matrix('tail logit', m, 1);
    this.head.scores(hidden, this.headSize, tailLogit);
    binary('add', tail, tailLogit, tail);
    if (headColumns === 0) return;
    const head = this.#workspace.matrix('head scores', m, headColumns);
    this.head.scores(hidden, firstClass, head);
    copyColumns(head, 0, out, 0, headColumns);
    copyColumns(tail, 0, out, headColumns, out.columns - headColumns);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#checkUsable('classScores');
    checkHidden(this, 'classScores', hidden);
    if (classes.length !== hidden.rows) {
      throw new OutputLayerError('shape', `hybrid classScores: ${classes.length} classes for ${hidden.rows} examples`);
    }
    for (const target of classes) checkClassRange(this, 'classScores', target, 1);
    this.head.classScores(hidden, classes.map((target) => Math.min(target, this.headSize)), out);
    const examples = Array.from(classes.keys()).filter((example) => classes[example]! >= this.headSize);
    if (examples.length === 0) return;
    const rows = this.#workspace.indices('tail rows', Int32Array.from(examples));
    const ownClasses = Int32Array.from(examples, (example) => classes[example]! - this.headSize);
    const logProbabilities = this.#workspace.matrix('tail log probabilities', examples.length, 1);
    const tailLogits = this.#workspace.matrix('tail logits', examples.length, 1);
    this.tail.classLogProbabilities(this.#ofTail(hidden, rows), ownClasses, logProbabilities);
    gatherRows(out, rows, tailLogits);
    axpy(1, tailLogits, logProbabilities);
    scatterRows(logProbabilities, rows, out);
  }

  /** Those of the head and of the tail are weights of different layers: neighbours are meaningful within each. */
  classVectors(firstClass: number, out: Matrix): void {
    this.#checkUsable('classVectors');
    checkClassRange(this, 'classVectors', firstClass, out.rows);
    const headRows = Math.max(0, Math.min(this.headSize - firstClass, out.rows));
    const part = (name: string, from: OutputLayer, first: number, count: number, to: number): void => {
      if (count === 0) return;
      const vectors = this.#workspace.matrix(name, count, this.features);
      from.classVectors(first, vectors);
      const places = this.#workspace.indices('vector places', Int32Array.from({ length: count }, (_, i) => to + i));
      scatterRows(vectors, places, out);
    };
    part('head vectors', this.head, firstClass, headRows, 0);
    part('tail vectors', this.tail, Math.max(0, firstClass - this.headSize), out.rows - headRows, headRows);
  }

  state(): ModuleState {
    this.#checkUsable('state');
    return joinedState(this);
  }

  async restore(state: ModuleState): Promise<void> {
    this.#checkUsable('restore');
    checkJoinedState(this, state);
    this.#isBusy = true;
    try {
      await this.tail.restore(partOf(state, 'tail'));
      await this.head.restore(partOf(state, 'head'));
    } finally {
      this.#isBusy = false;
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.head[Symbol.dispose]();
    this.tail[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }

  #tailRows(): Indices {
    return this.#workspace.indices('tail rows', this.#targets.tailRows, this.#targets.tailExamples);
  }

  #ofTail(hidden: Matrix, rows: Indices): Matrix {
    // Room for all examples at once, so that no later step needs more.
    const some = this.#workspace.matrix('tail hidden', hidden.rows, hidden.columns).resize(rows.count, hidden.columns);
    gatherRows(hidden, rows, some);
    return some;
  }

  /** The tail sums over its examples: a mean is over all m, those of the head included. */
  #tailExampleWeights(examples: number, weights: ArrayLike<number> | undefined): Float64Array {
    const { tailRows, tailExamples } = this.#targets;
    if (this.#tailWeights.length < examples) this.#tailWeights = new Float64Array(Math.ceil(examples * 1.5));
    const factor = this.reduction === 'sum' ? 1 : 1 / examples;
    for (let i = 0; i < tailExamples; i++) this.#tailWeights[i] = factor * (weights === undefined ? 1 : weights[tailRows[i]!]!);
    return this.#tailWeights.subarray(0, tailExamples);
  }

  /** The head's numbers, with the tail's added to the rows of its examples. */
  #joined(name: string, head: Matrix, tail: Matrix, rows: Indices): Matrix {
    const out = this.#workspace.matrix(name, head.rows, head.columns);
    copy(head, out);
    scatterAddRows(tail, rows, out);
    return out;
  }

  #checkUsable(operation: string): void {
    if (this.#disposed) throw new OutputLayerError('disposed', `hybrid ${operation}: the layer was disposed`);
    if (this.#isBusy) throw new OutputLayerError('busy', `hybrid ${operation}: an earlier call is still running; await it first`);
  }
}
