/**
 * The full log-softmax over all classes, exact, in O(D) per step. The other layers approximate, factorise or sample it.
 */
import { fill, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { OutputLayerError, withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { checkAddedRows, ClassTable } from '../class-table/class-table.ts';
import {
  checkLayerOptions,
  checkPerClass,
  checkWhole,
  weightOptions,
  type SoftmaxLayerOptions,
} from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import type { ForwardResult, SoftmaxMethod, TrainingBatch } from '../layer/softmax-method.ts';
import type { TargetList } from '../layer/target-list.ts';
import { BlockedSoftmax } from './blocked-softmax.ts';

const kind = 'full-softmax';

/** Options of the full softmax: weights of classes, label smoothing, and how many classes are scored at a time. */
export interface FullSoftmaxOptions extends SoftmaxLayerOptions {
  /** Initial biases, one for each class, such as the log of its unigram probability; default 0. */
  readonly initialBiases?: ArrayLike<number>;
  /**
   * ε from 0 to below 1: this share of every target is distributed evenly over all classes (arXiv:1512.00567 §7).
   * Default 0.
   */
  readonly labelSmoothing?: number;
  /** A factor of at least 0 for each class, on the loss of its targets; default all 1. */
  readonly classWeights?: ArrayLike<number>;
  /** A class whose targets are ignored, such as padding. The mean is still over all examples. */
  readonly ignoreIndex?: number;
  /** Classes in a block; default 1024. */
  readonly blockClasses?: number;
}

/** A full softmax layer; {@link FullSoftmax.addClasses} through {@link SoftmaxLayer.change}. */
export type FullSoftmaxLayer = SoftmaxLayer<FullSoftmax>;

/**
 * Creates an exact log-softmax layer over all classes. Cost of a step: 6mDd operations, three products. Memory: 4D(d+1)
 * bytes of weights, and the m·D outputs of a step; if they are more than 2²⁵ numbers (128 MiB), so many are kept and the
 * rest are computed twice, a block at a time: 8md operations for each of those classes.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createFullSoftmaxLayer(backend: Backend, options: FullSoftmaxOptions): Promise<FullSoftmaxLayer> {
  checkOptions(options);
  const layer = new SoftmaxLayer(new FullSoftmax(backend, options), weightOptions(options).rule, options.reduction);
  await backend.synchronize();
  return layer;
}

class FullSoftmax implements SoftmaxMethod {
  readonly kind: string = kind;
  readonly isNormalized = true;
  readonly hasLinearScores = true;
  readonly features: number;
  readonly ignoredClass: number;
  readonly workspace: Workspace;
  readonly #options: FullSoftmaxOptions;
  readonly #table: ClassTable;
  #softmax: BlockedSoftmax;

  constructor(backend: Backend, options: FullSoftmaxOptions) {
    const { classes, features, initialBiases, ignoreIndex = -1 } = options;
    this.features = features;
    this.ignoredClass = ignoreIndex;
    this.workspace = new Workspace(backend);
    this.#options = options;
    this.#table = new ClassTable(
      backend,
      {
        name: 'classes',
        rows: classes,
        features,
        ...weightOptions(options),
        ...(initialBiases === undefined ? {} : { initialBiases }),
      },
      this.workspace,
    );
    this.#softmax = this.#blockedSoftmax();
  }

  get classes(): number {
    return this.#table.rows;
  }

  /**
   * Adds classes at the end; the others keep their weights. O(n·d), and a copy of the last piece of the table.
   * @param values n×width weights, row by row, the bias last. A bias of 0 is a likely class where the others have logs
   * of probabilities.
   * @throws OutputLayerError `bad-option`, `non-finite`; `bad-option` with class weights.
   */
  addClasses(values: ArrayLike<number>): void {
    checkAddedRows(kind, values, this.#table.width);
    if (this.#options.classWeights !== undefined)
      throw new OutputLayerError('bad-option', `${kind} addClasses: the layer has a weight for each of its classes`);
    this.#table.append(values);
    this.#softmax[Symbol.dispose]();
    this.#softmax = this.#blockedSoftmax();
  }

  #blockedSoftmax(): BlockedSoftmax {
    const { blockClasses, labelSmoothing = 0, classWeights } = this.#options;
    return new BlockedSoftmax(this.#table, this.workspace, {
      labelSmoothing,
      ...(classWeights === undefined ? {} : { classWeights }),
      ...(blockClasses === undefined ? {} : { blockRows: blockClasses }),
    });
  }

  forward({ hidden, targets }: TrainingBatch): ForwardResult {
    return { losses: this.#softmax.forward(this.#extended(hidden), targets, { keep: true }), watched: [] };
  }

  /**
   * If the losses are finite, nothing here can overflow: the gradient is a combination of rows with factors no larger
   * than the targets.
   */
  update({ hidden, targets, factors }: TrainingBatch, learningRate: number, step: number): Matrix {
    const gradient = this.workspace.matrix('hidden gradient', hidden.rows, this.#table.width);
    fill(0, gradient);
    this.#softmax.update(this.#extended(hidden), targets, factors, gradient, { learningRate, step });
    return withoutBiasFeature(this.workspace, gradient, this.features);
  }

  computeLosses(hidden: Matrix, targets: TargetList): Matrix {
    return this.#softmax.forward(this.#extended(hidden), targets);
  }

  /** Logits, which rank the classes as their probabilities do. O(m·count·d). */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#table.rangeScores(this.#extended(hidden), firstClass, out);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#table.rowScores(this.#extended(hidden), classes, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#table.vectors(firstClass, out);
  }

  configuration(): JsonObject {
    const { labelSmoothing = 0, ignoreIndex = null, bias = true } = this.#options;
    return { bias, labelSmoothing, ignoreIndex, hasClassWeights: this.#options.classWeights !== undefined };
  }

  tensors(): TensorSource[] {
    return this.#table.tensors();
  }

  checkState(state: ModuleState): void {
    this.#table.checkState(state);
  }

  async restore(state: ModuleState): Promise<void> {
    await this.#table.restore(state);
  }

  [Symbol.dispose](): void {
    this.#softmax[Symbol.dispose]();
    this.#table[Symbol.dispose]();
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.workspace, hidden, this.#table.bias);
  }
}

function checkOptions(options: FullSoftmaxOptions): void {
  checkLayerOptions(kind, options);
  const { classes, labelSmoothing = 0, classWeights, ignoreIndex, initialBiases, blockClasses } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: labelSmoothing must be at least 0 and less than 1, got ${labelSmoothing}`,
    );
  }
  if (classWeights !== undefined) checkPerClass(kind, 'classWeights', classWeights, classes, 0);
  if (initialBiases !== undefined) {
    if (options.bias === false)
      throw new OutputLayerError('bad-option', `${kind}: initialBiases need biases, but bias is false`);
    checkPerClass(kind, 'initialBiases', initialBiases, classes);
  }
  if (ignoreIndex !== undefined) checkWhole(kind, 'ignoreIndex', ignoreIndex, 0, classes - 1);
  if (blockClasses !== undefined) checkWhole(kind, 'blockClasses', blockClasses, 1, 2 ** 31 - 1);
}
