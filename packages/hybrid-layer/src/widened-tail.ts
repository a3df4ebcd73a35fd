/**
 * A factored tail that looks at t = tanh(h A + a), wider than h, with A and a trained along. A spherical softmax gives a class at most about d/T of
 * the probability of T others in d dimensions, for the squared outputs of all of them add up; what h has learned for the head is
 * d numbers, and the tail needs more (docs/experiments.md). Only the tail's examples pay for the width.
 */
import { affine, binary, copy, gemm, reduce, unary, Workspace, write, type Backend, type Matrix } from '@vastmax/linalg-core';
import {
  findTensor,
  matrixTensor,
  OutputLayerError,
  restoreMatrix,
  type JsonObject,
  type ModuleState,
  type PreparedStep,
  type StepOptions,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import { RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';

/** What the hybrid layer asks of a tail: the factored layer, as it is or widened. */
export interface TailLayer extends TwoPhaseOutputLayer {
  classLogProbabilities(hidden: Matrix, classes: Int32Array, out: Matrix): void;
  logProbabilities(hidden: Matrix, firstClass: number, out: Matrix): void;
}

export class WidenedTail implements TailLayer {
  readonly kind = 'widened-tail';
  readonly backend: Backend;
  readonly features: number;
  /** On the wide activations. */
  readonly inner: FactoredOutputLayer;
  readonly #weights: Matrix;
  readonly #shift: Matrix;
  readonly #workspace: Workspace;

  /** Takes over the inner layer, whose features are the width. */
  constructor(inner: FactoredOutputLayer, features: number, seed: number) {
    this.inner = inner;
    this.backend = inner.backend;
    this.features = features;
    this.#workspace = new Workspace(this.backend);
    this.#weights = this.backend.createMatrix(features, inner.features);
    this.#shift = this.backend.createMatrix(1, inner.features);
    const random = new RandomGenerator(seed);
    write(Float64Array.from({ length: features * inner.features }, () => (1.5 * random.normal()) / Math.sqrt(features)), this.#weights);
  }

  get classes(): number {
    return this.inner.classes;
  }

  get isNormalized(): boolean {
    return this.inner.isNormalized;
  }

  async step(hidden: Matrix, targets: CsrRows, options: StepOptions): ReturnType<PreparedStep['apply']> {
    return (await this.prepareStep(hidden, targets, options)).apply();
  }

  async prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    const wide = this.#widened(hidden);
    const prepared = await this.inner.prepareStep(wide, targets, options);
    return {
      discard: () => {
        prepared.discard();
      },
      apply: async () => {
        const { losses, hiddenGradient } = await prepared.apply();
        return { losses, hiddenGradient: this.#backward(hidden, wide, hiddenGradient, options.learningRate) };
      },
    };
  }

  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.inner.evaluate(this.#widened(hidden), targets);
  }

  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.inner.scores(this.#widened(hidden), firstClass, out);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.inner.classScores(this.#widened(hidden), classes, out);
  }

  classLogProbabilities(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.inner.classLogProbabilities(this.#widened(hidden), classes, out);
  }

  logProbabilities(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.inner.logProbabilities(this.#widened(hidden), firstClass, out);
  }

  /** The classes' wide vectors as the hidden activations see them: through A, as if it were all there is. */
  classVectors(firstClass: number, out: Matrix): void {
    const wide = this.#workspace.matrix('wide vectors', out.rows, this.inner.features);
    this.inner.classVectors(firstClass, wide);
    gemm(wide, this.#weights, out, { transposeB: true });
  }

  state(): ModuleState {
    const { configuration, tensors } = this.inner.state();
    return {
      configuration: { kind: this.kind, features: this.features, inner: configuration },
      tensors: [matrixTensor('widening', this.#weights), matrixTensor('widening_shift', this.#shift), ...tensors],
    };
  }

  async restore(state: ModuleState): Promise<void> {
    const { kind, features, inner } = state.configuration;
    if (kind !== this.kind || features !== this.features || typeof inner !== 'object' || inner === null || Array.isArray(inner)) {
      throw new OutputLayerError(
        'state-mismatch',
        `hybrid layer: a tail is '${String(kind)}' of ${String(features)} features in the state, '${this.kind}' of ${this.features} in the layer`,
      );
    }
    findTensor(state, 'widening', this.features, this.inner.features);
    findTensor(state, 'widening_shift', 1, this.inner.features);
    await this.inner.restore({ configuration: inner as JsonObject, tensors: state.tensors });
    await restoreMatrix(state, 'widening', this.#weights);
    await restoreMatrix(state, 'widening_shift', this.#shift);
  }

  [Symbol.dispose](): void {
    this.inner[Symbol.dispose]();
    this.#weights[Symbol.dispose]();
    this.#shift[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }

  #widened(hidden: Matrix): Matrix {
    const wide = this.#workspace.matrix('wide', hidden.rows, this.inner.features);
    gemm(hidden, this.#weights, wide);
    binary('add', wide, this.#shift, wide);
    unary('tanh', wide, wide);
    return wide;
  }

  /** ∂/∂h from ∂/∂t, and the step of A and a: plain SGD at the tail's rate. */
  #backward(hidden: Matrix, wide: Matrix, wideGradient: Matrix, learningRate: number): Matrix {
    const slope = this.#workspace.matrix('slope', wide.rows, wide.columns);
    const gradient = this.#workspace.matrix('hidden gradient', hidden.rows, hidden.columns);
    const shiftGradient = this.#workspace.matrix('shift gradient', 1, wide.columns);
    copy(wide, slope);
    binary('multiply', slope, wide, slope);
    affine(slope, -1, 1, slope);
    binary('multiply', slope, wideGradient, slope);
    gemm(slope, this.#weights, gradient, { transposeB: true });
    gemm(hidden, slope, this.#weights, { transposeA: true, alpha: -learningRate, beta: 1 });
    reduce('sum', slope, shiftGradient);
    affine(shiftGradient, -learningRate, 0, shiftGradient);
    binary('add', this.#shift, shiftGradient, this.#shift);
    return gradient;
  }
}
