/**
 * The full log-softmax over many ranks: each rank has its part of the classes and its own part of a minibatch, and the
 * step is the exact step on all parts together. A rank computes its classes for the examples of all ranks, 8·M·(D/p)·d
 * operations: unlike the factored layer this grows with D.
 */
import {
  copyColumns,
  read,
  rowDot,
  gemm,
  Workspace,
  write,
  createHostArray,
  type Backend,
  type FloatArray,
  type Matrix,
} from '@vastmax/linalg-core';
import {
  checkClassScores,
  checkClassVectors,
  checkScores,
  OutputLayerError,
  withBiasFeature,
  withoutBiasFeature,
  type OutputLayer,
  type StepOptions,
  type StepResult,
} from '@vastmax/output-layer';
import type { ClassTable } from '@vastmax/softmax-losses/layer-parts';
import type { CsrRows } from '@vastmax/sparse-data';
import { sgdRule, type UpdateRule } from '@vastmax/update-rules';
import type { Communicator } from '@vastmax/collectives';
import type { RowPartition } from '../rows/row-partition.ts';
import { ClassRows } from './class-rows.ts';
import { createOwnClasses } from './own-classes.ts';
import { PartialSoftmax } from './partial-softmax.ts';
import { checkSoftmaxOptions, type VocabularyParallelSoftmaxOptions } from './softmax-options.ts';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { CollectivePreflight, createCollectively } from '../factored/collective-preflight.ts';
import { CollectiveCalls } from './collective-calls.ts';

/**
 * Creates the layer. A collective: all ranks, the same options. Memory of each rank: D(d + 1)/p numbers and the rule's
 * moments. O(D·d) once.
 * @throws OutputLayerError `bad-option` on every rank when one has invalid options or they differ.
 */
export async function createVocabularyParallelSoftmax(
  communicator: Communicator,
  backend: Backend,
  options: VocabularyParallelSoftmaxOptions,
): Promise<VocabularyParallelSoftmax> {
  const preflight = new CollectivePreflight(communicator);
  return createCollectively(preflight, backend, {
    kind,
    options,
    create: () => {
      checkSoftmaxOptions(options);
      return new VocabularyParallelSoftmax(communicator, backend, options, preflight);
    },
    finish: () => backend.synchronize(),
  });
}

const kind = 'full-softmax';

/** The full softmax with its classes shared out over ranks: each scores its own, and only sums are exchanged. */
export class VocabularyParallelSoftmax implements OutputLayer {
  readonly kind: string = kind;
  readonly isNormalized = true;
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly classes: number;
  readonly features: number;
  readonly bias: boolean;
  readonly rule: UpdateRule;
  readonly reduction: 'mean' | 'sum';
  readonly #partition: RowPartition;
  readonly #workspace: Workspace;
  readonly #own: ClassTable;
  readonly #rows: ClassRows;
  readonly #softmax: PartialSoftmax;
  #received: FloatArray;
  readonly #calls: CollectiveCalls;

  /** Use {@link createVocabularyParallelSoftmax}. */
  constructor(
    communicator: Communicator,
    backend: Backend,
    options: VocabularyParallelSoftmaxOptions,
    preflight: CollectivePreflight,
  ) {
    const { classes, features, bias = true, rule = sgdRule(), reduction = 'mean', blockClasses = 1024 } = options;
    this.communicator = communicator;
    this.backend = backend;
    this.classes = classes;
    this.features = features;
    this.bias = bias;
    this.rule = rule;
    this.reduction = reduction;
    this.#partition = { rows: classes, size: communicator.size };
    this.#workspace = new Workspace(backend);
    this.#own = createOwnClasses(backend, this.#partition, communicator.rank, options, this.#workspace);
    this.#rows = new ClassRows(communicator, this.#partition, this.#own.table, this.#workspace);
    this.#calls = new CollectiveCalls(this, preflight, this.#workspace);
    this.#softmax = new PartialSoftmax(
      communicator,
      this.#partition,
      this.#own,
      this.#rows,
      this.#workspace,
      blockClasses,
    );
    this.#received = createHostArray(backend, 0);
  }

  /** Width of a row: features and bias. */
  get width(): number {
    return this.features + (this.bias ? 1 : 0);
  }

  /** Number of steps, those before a restored checkpoint included. */
  get stepCount(): number {
    return this.#calls.steps;
  }

  /**
   * One exact step on the examples of all ranks together. A collective.
   * @param hidden this rank's m×d; m may differ between ranks, and be 0.
   * @throws OutputLayerError on every rank when one rank rejects the step; the message names it, and no weight has
   * changed.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    const { learningRate, exampleWeights } = options;
    const calls = this.#calls;
    return calls.step(hidden, targets, options, async ({ examples, totalExamples }) => {
      const factor = this.reduction === 'sum' || totalExamples === 0 ? 1 : 1 / totalExamples;
      const batch = await calls.gather(hidden, targets, exampleWeights, examples, factor);
      const { logPartition, losses } = await this.#softmax.forward(batch);
      await this.#checkFinite(batch.hidden, losses, learningRate);
      calls.steps++;
      const gradient = this.#workspace.matrix('global hidden gradient', batch.examples, this.width);
      // Without examples nothing changes: a rule with momentum would otherwise change weights without a gradient.
      if (batch.examples > 0) this.#softmax.update(batch, logPartition, gradient, learningRate, calls.steps);
      return {
        losses: calls.ownLosses(losses, batch.first, hidden.rows),
        hiddenGradient: await this.#ownGradient(gradient, examples),
      };
    });
  }

  /** m×1, the losses of this rank's own examples. A collective. */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.evaluate(hidden, targets, (batch) => this.#softmax.forward(batch));
  }

  /** No collective: every rank refuses calls of its own meanwhile. */
  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.guard.read(operation, action);
  }

  /**
   * A collective when there are several ranks: the same classes on all ranks, each rank with its own `hidden`. Moves
   * count·d numbers.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.guard.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    const rows = this.#workspace.matrix('score rows', out.columns, this.width);
    this.#rows.range(firstClass, rows);
    gemm(this.#extended(hidden), rows, out, { transposeB: true });
  }

  /** A collective when there are several ranks, each with its own `hidden` and classes. */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.guard.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    const rows = this.#workspace.matrix('class score rows', classes.length, this.width);
    this.#rows.gather(classes, rows);
    rowDot(this.#extended(hidden), rows, out);
  }

  /** The class vectors, without biases. A collective when there are several ranks. */
  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.guard.check('classVectors');
    checkClassVectors(this, 'classVectors', firstClass, out);
    const rows = this.#workspace.matrix('class vector rows', out.rows, this.width);
    this.#rows.range(firstClass, rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  /**
   * This rank's shard. No collective. `mergeShards` merges the shards into the state of the full softmax layer in one
   * process.
   */
  state(): ModuleState {
    this.#calls.guard.check('state');
    const { rank, size } = this.communicator;
    return this.#calls.guard.stateAsOfNow({
      configuration: { ...this.#fixedConfiguration(), steps: this.#calls.steps, shard: { rank, size } },
      tensors: this.#own.tensors(),
    });
  }

  /**
   * Restores this rank's shard, or its part of a whole state. A collective.
   * @throws StateError `state-mismatch` on every rank when one rank rejects it.
   */
  restore(state: ModuleState): Promise<void> {
    return this.#calls.restore(state, this.#fixedConfiguration(), (shard) => this.#own.restore(shard));
  }

  [Symbol.dispose](): void {
    this.#calls.guard.close(() => {
      this.#own[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  #fixedConfiguration(): JsonObject {
    const { classes, features, rule, reduction, bias } = this;
    return {
      kind,
      classes,
      features,
      precision: this.backend.precision,
      rule: { name: rule.name, options: rule.options },
      reduction,
      bias,
      labelSmoothing: 0,
      ignoreIndex: null,
      hasClassWeights: false,
    };
  }

  /** Every rank has all losses and all activations, so all ranks come to the same result. */
  async #checkFinite(hidden: Matrix, losses: Float64Array, learningRate: number): Promise<void> {
    if (losses.every((loss) => Number.isFinite(loss))) return;
    const values = await read(hidden);
    const where = values.findIndex((value) => !Number.isFinite(value));
    if (where >= 0) {
      throw new OutputLayerError(
        'non-finite',
        `${kind} step: hidden of all ranks is ${values[where]!} at example ${Math.floor(where / this.width)}, feature ${where % this.width}; it must be finite`,
      );
    }
    const example = losses.findIndex((loss) => !Number.isFinite(loss));
    throw new OutputLayerError(
      'diverged',
      `${kind} step ${this.#calls.steps}: the loss of example ${example} of all ranks' is ${losses[example]!} (learning rate ${learningRate}); the weights are as they were`,
    );
  }

  /** Sums the parts of all ranks for the examples of this one, in the order of the ranks. A collective. */
  async #ownGradient(gradient: Matrix, examples: Int32Array): Promise<Matrix> {
    const { rank, size } = this.communicator;
    const count = examples[rank]! * this.width;
    if (this.#received.length < count * size)
      this.#received = createHostArray(this.backend, Math.ceil(count * size * 1.5));
    const parts = this.#received;
    this.communicator.allToAll(
      await read(gradient),
      examples.map((each) => each * this.width),
      parts,
      new Int32Array(size).fill(count),
    );
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let part = 0, j = i; part < size; part++, j += count) sum += parts[j]!;
      parts[i] = sum;
    }
    const own = this.#workspace.matrix('hidden gradient with bias', examples[rank]!, this.width);
    if (count > 0) write(parts.subarray(0, count), own);
    return withoutBiasFeature(this.#workspace, own, this.features);
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.#workspace, hidden, this.bias);
  }
}
