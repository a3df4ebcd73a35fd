/**
 * The head is a dense softmax over the F most frequent classes, with one more logit for each tail. A tail is a range of
 * rarer classes with a normalised layer of its own: a tree of softmaxes, or an exact factored layer with a spherical
 * loss. Together they are a distribution over all D classes:
 *
 *     p(c | h) = softmax(g)_c                              c in the head
 *     p(c | h) = softmax(g)_{F+t} · p(c | tail t, h)       c in tail t
 *
 * where p(c | tail t, h) is a product of softmaxes along the path of a tree, or (o_c² + ε_c)/(q + Σε) for the
 * log-spherical loss (arXiv:1511.05042) with one ε for each class. The cost of a step grows with the logarithm of D, by
 * the examples of the tails only, or does not depend on D at all.
 *
 * The loss is −log p(c | h). Head and tails train on this same loss with different learning rates; a tail gets only the
 * examples that have a target in it. Every part checks that its numbers are finite before any part changes a weight.
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
import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  CallGuard,
  checkClassScores,
  checkClassVectors,
  checkHidden,
  checkScores,
  checkStepOptions,
  checkTargets,
  type OutputLayer,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { addTailClasses, tailClassLogProbabilities, tailLogProbabilities, type HybridTail } from './hybrid-tail.ts';
import { checkJoinedState, joinedState, partOf, tailName } from './joined-state.ts';
import { SplitTargets, type TailTargets } from './split-targets.ts';

/** The layers that a hybrid layer is made of, and their rates. */
export interface HybridParts {
  /** The dense softmax over F classes and one more logit for each tail. */
  readonly head: TwoPhaseOutputLayer;
  /**
   * Tree softmax layers, or factored layers with normalised losses, over the other classes, tail after tail, with
   * `reduction: 'sum'`.
   */
  readonly tails: readonly HybridTail[];
  /** Factors on the step's learning rate for the head and for the tails. */
  readonly headRate: number;
  readonly tailRate: number;
  readonly reduction: 'mean' | 'sum';
  /** Over ranks: the parts then are layers over the same ranks. */
  readonly ranks?: HybridRanks;
}

/** How the calls of a layer over ranks begin. */
export interface HybridRanks {
  /** This rank's place, for its state. */
  readonly shard: { readonly rank: number; readonly size: number };
  /**
   * Announces a call to all ranks. A collective.
   * @param localError why this rank rejects the call, if it does.
   * @returns the number of examples of all ranks.
   * @throws OutputLayerError on every rank when one rejects the call.
   */
  begin(operation: 'step' | 'evaluate' | 'restore' | 'materialize', localError: unknown, examples: number): number;
}

/**
 * A dense softmax over the frequent classes and one or more tails over the others, as one normalised layer; created
 * by `createHybridOutputLayer`.
 */
export class HybridOutputLayer implements OutputLayer {
  readonly kind = 'hybrid';
  readonly isNormalized = true;
  readonly backend: Backend;
  readonly head: TwoPhaseOutputLayer;
  readonly tails: readonly HybridTail[];
  readonly headRate: number;
  readonly tailRate: number;
  readonly reduction: 'mean' | 'sum';
  readonly #workspace: Workspace;
  #targets: SplitTargets;
  /** The first class of each tail. */
  readonly #starts: readonly number[];
  readonly #tailWeights: Float64Array[];
  readonly #ranks: HybridRanks | undefined;
  readonly #calls = new CallGuard(this.kind);

  /** Takes ownership of the layers. Use {@link createHybridOutputLayer}, which creates them. */
  constructor({ head, tails, headRate, tailRate, reduction, ranks }: HybridParts) {
    this.backend = head.backend;
    this.head = head;
    this.tails = tails;
    this.headRate = headRate;
    this.tailRate = tailRate;
    this.reduction = reduction;
    this.#ranks = ranks;
    this.#workspace = new Workspace(this.backend);
    let next = this.headSize;
    this.#starts = tails.map((tail) => {
      next += tail.classes;
      return next - tail.classes;
    });
    this.#targets = new SplitTargets(this.#starts, next);
    this.#tailWeights = tails.map(() => new Float64Array(0));
  }

  get classes(): number {
    return this.headSize + this.tails.reduce((sum, tail) => sum + tail.classes, 0);
  }

  /** F: classes 0 … F − 1 are the head. */
  get headSize(): number {
    return this.head.classes - this.tails.length;
  }

  get features(): number {
    return this.head.features;
  }

  /**
   * Cost: 6m(F + tails)d operations for the head, and steps of the tails for their own examples.
   * See {@link OutputLayer.step}.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    const check = (): void => {
      checkHidden(this, 'step', hidden);
      checkTargets(this, 'step', hidden, targets);
      checkStepOptions(this, hidden.rows, options);
    };
    return this.#run('step', check, hidden, (examples) => this.#stepParts(hidden, targets, options, examples));
  }

  /** −log p of the targets. Cost: O(Fd) per example, and that of a tail for its own examples. */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    const check = (): void => {
      checkHidden(this, 'evaluate', hidden);
      checkTargets(this, 'evaluate', hidden, targets);
    };
    return this.#run('evaluate', check, hidden, async () => {
      this.#targets.build(targets);
      const losses = this.#workspace.matrix('losses', hidden.rows, 1);
      copy(await this.head.evaluate(hidden, this.#targets.head), losses);
      for (const [t, tail] of this.tails.entries()) {
        scatterAddRows(
          await tail.evaluate(this.#hiddenOfTail(t, hidden), this.#tail(t).targets),
          this.#tailRows(t),
          losses,
        );
      }
      return losses;
    });
  }

  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.read(operation, action);
  }

  /**
   * For a class of the head its logit g_c; for a class of tail t g_{F+t} + log p(c | tail t). Both are log p(c) plus a
   * constant that depends only on the example.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    const m = hidden.rows;
    for (const { first, count, at, tail: t } of this.#parts(firstClass, out.columns)) {
      const part = count === out.columns ? out : this.#workspace.matrix('part scores', m, count);
      if (t === undefined) this.head.scores(hidden, first, part);
      else {
        tailLogProbabilities(this.tails[t]!, hidden, first, part);
        const logit = this.#workspace.matrix('tail logit', m, 1);
        this.head.scores(hidden, this.headSize + t, logit);
        binary('add', part, logit, part);
      }
      if (part !== out) copyColumns(part, 0, out, at, count);
    }
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    const tailOf = (target: number): number => this.#starts.findLastIndex((start) => start <= target);
    this.head.classScores(
      hidden,
      classes.map((target) => (target < this.headSize ? target : this.headSize + tailOf(target))),
      out,
    );
    for (const [t, tail] of this.tails.entries()) {
      const examples = Int32Array.from(classes.keys()).filter((example) => tailOf(classes[example]!) === t);
      // Over ranks all take part.
      if (examples.length === 0 && this.#ranks === undefined) continue;
      const rows = this.#workspace.indices('scored rows', examples);
      const ownClasses = examples.map((example) => classes[example]! - this.#starts[t]!);
      const ownHidden = this.#workspace.matrix('scored hidden', examples.length, hidden.columns);
      const logProbabilities = this.#workspace.matrix('tail log probabilities', examples.length, 1);
      const logits = this.#workspace.matrix('tail logits', examples.length, 1);
      gatherRows(hidden, rows, ownHidden);
      tailClassLogProbabilities(tail, ownHidden, ownClasses, logProbabilities);
      gatherRows(out, rows, logits);
      axpy(1, logits, logProbabilities);
      scatterRows(logProbabilities, rows, out);
    }
  }

  /**
   * The class vectors of the parts. They are weights of different layers, so nearest neighbours are meaningful only
   * within one part.
   */
  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.check('classVectors');
    checkClassVectors(this, 'classVectors', firstClass, out);
    for (const { first, count, at, tail: t } of this.#parts(firstClass, out.rows)) {
      const vectors = this.#workspace.matrix('part vectors', count, this.features);
      const layer: OutputLayer = t === undefined ? this.head : this.tails[t]!;
      layer.classVectors(first, vectors);
      scatterRows(
        vectors,
        this.#workspace.indices(
          'vector places',
          Int32Array.from({ length: count }, (_, i) => at + i),
        ),
        out,
      );
    }
  }

  /**
   * Adds classes at the end of the last tail, the rarest of all. The probabilities of the head and of the other tails
   * stay. O(n·d) for a tree, O(n·d²) for a spherical tail.
   * @param values n×(d + 1) weights of the tail, row by row, the bias last. Zeros are, in a tree, classes as frequent
   * as one that was seen once.
   * @param constants of a spherical tail: ε of each new class.
   * @throws OutputLayerError `bad-option`, `non-finite`, `busy`, `disposed`.
   */
  addClasses(values: ArrayLike<number>, constants?: ArrayLike<number>): void {
    this.#calls.checkChange('addClasses');
    addTailClasses(this.tails[this.tails.length - 1]!, values, constants);
    this.#targets = new SplitTargets(this.#starts, this.classes);
  }

  /** Of spherical tails. O(D·d²). */
  materialize(): Promise<void> {
    return this.#run('materialize', undefined, undefined, async () => {
      for (const tail of this.tails as readonly OutputLayer[]) await tail.materialize?.();
    });
  }

  /** Its tensors are those of the parts, which do not give them after a step. */
  state(): ModuleState {
    this.#calls.check('state');
    const { configuration, tensors } = joinedState(this);
    const shard = this.#ranks === undefined ? {} : { shard: { ...this.#ranks.shard } };
    return { configuration: { ...configuration, ...shard }, tensors };
  }

  restore(state: ModuleState): Promise<void> {
    const check = (): void => {
      checkJoinedState(this, state);
    };
    return this.#run('restore', check, undefined, async () => {
      for (const [t, tail] of this.tails.entries()) await tail.restore(partOf(state, tailName(t)));
      await this.head.restore(partOf(state, 'head'));
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.head[Symbol.dispose]();
      for (const tail of this.tails) tail[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  /**
   * Runs a call once its arguments have been checked, on all ranks where there are several.
   * @param action gets the number of examples, of all ranks together.
   */
  #run<Result>(
    operation: Parameters<HybridRanks['begin']>[0],
    check: (() => void) | undefined,
    hidden: Matrix | undefined,
    action: (examples: number) => Promise<Result>,
  ): Promise<Result> {
    const ranks = this.#ranks;
    if (ranks === undefined) {
      return this.#calls.run(operation, async () => {
        check?.();
        return action(hidden?.rows ?? 0);
      });
    }
    return this.#calls.runCollectively(operation, async (busy) => {
      let localError: unknown = busy;
      try {
        if (busy === undefined) check?.();
      } catch (error) {
        localError = error;
      }
      return action(ranks.begin(operation, localError, localError === undefined ? (hidden?.rows ?? 0) : 0));
    });
  }

  /** A step of all parts: if one part fails, no part changes. @param examples of all ranks. */
  async #stepParts(hidden: Matrix, targets: CsrRows, options: StepOptions, examples: number): Promise<StepResult> {
    const prepared: PreparedStep[] = [];
    try {
      const { learningRate, exampleWeights } = options;
      this.#targets.build(targets);
      prepared.push(
        await this.head.prepareStep(hidden, this.#targets.head, {
          ...options,
          learningRate: this.headRate * learningRate,
        }),
      );
      for (const [t, tail] of this.tails.entries()) {
        prepared.push(
          await tail.prepareStep(this.#hiddenOfTail(t, hidden), this.#tail(t).targets, {
            learningRate: this.tailRate * learningRate,
            exampleWeights: this.#tailExampleWeights(t, { own: hidden.rows, all: examples }, exampleWeights),
          }),
        );
      }
      const results: StepResult[] = [];
      for (const part of prepared) results.push(await part.apply());
      const { losses, hiddenGradient } = this.#copyOfResult(results[0]!);
      for (const [t, part] of results.slice(1).entries()) {
        scatterAddRows(part.losses, this.#tailRows(t), losses);
        scatterAddRows(part.hiddenGradient, this.#tailRows(t), hiddenGradient);
      }
      return { losses, hiddenGradient };
    } catch (error) {
      for (const part of prepared) part.discard();
      throw error;
    }
  }

  /**
   * The parts of a range of classes: `first` is the first class in the numbering of the part, `at` its position in the
   * range.
   */
  *#parts(
    firstClass: number,
    columns: number,
  ): Generator<{ first: number; count: number; at: number; tail: number | undefined }> {
    const starts = [0, ...this.#starts, this.classes];
    for (let part = 0; part + 1 < starts.length; part++) {
      const from = Math.max(firstClass, starts[part]!);
      const count = Math.min(firstClass + columns, starts[part + 1]!) - from;
      if (count > 0)
        yield { first: from - starts[part]!, count, at: from - firstClass, tail: part === 0 ? undefined : part - 1 };
    }
  }

  #tail(t: number): TailTargets {
    return this.#targets.tails[t]!;
  }

  #tailRows(t: number): Indices {
    return this.#workspace.indices(`rows of tail ${t}`, this.#tail(t).rows, this.#tail(t).examples);
  }

  #hiddenOfTail(t: number, hidden: Matrix): Matrix {
    const rows = this.#tailRows(t);
    // Capacity for all examples from the start, so that no later step allocates.
    const tailHidden = this.#workspace
      .matrix(`hidden of tail ${t}`, hidden.rows, hidden.columns)
      .resize(rows.count, hidden.columns);
    gatherRows(hidden, rows, tailHidden);
    return tailHidden;
  }

  /**
   * Weights of a tail's examples. A tail sums over its examples, so a mean over all m examples needs the factor 1/m
   * here.
   */
  #tailExampleWeights(
    t: number,
    examples: { readonly own: number; readonly all: number },
    weights: ArrayLike<number> | undefined,
  ): Float64Array {
    if (this.#tailWeights[t]!.length < examples.own)
      this.#tailWeights[t] = new Float64Array(Math.ceil(examples.own * 1.5));
    const own = this.#tailWeights[t]!;
    const { rows, examples: count } = this.#tail(t);
    const factor = this.reduction === 'sum' ? 1 : 1 / examples.all;
    for (let i = 0; i < count; i++) own[i] = factor * (weights === undefined ? 1 : weights[rows[i]!]!);
    return own.subarray(0, count);
  }

  /** Copies of the head's results, to which the results of the tails are added. */
  #copyOfResult({ losses, hiddenGradient }: StepResult): StepResult {
    const own = {
      losses: this.#workspace.matrix('losses', losses.rows, 1),
      hiddenGradient: this.#workspace.matrix('hidden gradient', hiddenGradient.rows, hiddenGradient.columns),
    };
    copy(losses, own.losses);
    copy(hiddenGradient, own.hiddenGradient);
    return own;
  }
}
