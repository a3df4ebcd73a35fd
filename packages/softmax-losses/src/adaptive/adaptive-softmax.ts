/**
 * Adaptive softmax (E. Grave et al., "Efficient softmax approximation for GPUs", arXiv:1609.04309), with the semantics
 * of PyTorch's AdaptiveLogSoftmaxWithLoss: the head is a softmax over the shortlist of frequent classes and one output
 * for each tail; tail i is a softmax over its classes on hidden activations projected to ⌊d/divValue^(i+1)⌋ features;
 * log p(c) = log p_head(c), or log p_head(tail i) + log p_i(c).
 */
import { axpy, copyColumns, fill, scatterRows, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import { StateError, type JsonObject, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';
import { OutputLayerError, withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { ClassTable } from '../class-table/class-table.ts';
import { BlockedSoftmax, type ForwardOptions } from '../full/blocked-softmax.ts';
import { checkSameIntegers, integerTensor } from '../layer/integer-tensor.ts';
import {
  checkLayerOptions,
  checkPerClass,
  checkWhole,
  weightOptions,
  type SoftmaxLayerOptions,
} from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import type { ForwardResult, SoftmaxMethod, TrainingBatch } from '../layer/softmax-method.ts';
import { TargetList } from '../layer/target-list.ts';
import { AdaptiveParts } from './adaptive-parts.ts';
import { AdaptiveScores } from './adaptive-scores.ts';
import { AdaptiveTail } from './adaptive-tail.ts';
import { balancedCutoffs, checkCutoffs, widthOfTail } from './cutoffs.ts';

const kind = 'adaptive-softmax';

/** Cutoffs between head and tails and the factor by which tails are narrower, as PyTorch names them. */
export interface AdaptiveSoftmaxOptions extends Omit<SoftmaxLayerOptions, 'bias'> {
  /**
   * Class counts at which parts end, ascending: the first is the size of the shortlist, the others are the first
   * classes of the second and later tails. Default: balanced by cost ({@link balancedCutoffs}).
   */
  readonly cutoffs?: readonly number[];
  /** Factor by which each tail has fewer features than the part before it; default 4. */
  readonly divValue?: number;
  /** Whether the head has biases; the tails have none. Default false. */
  readonly headBias?: boolean;
  /** How often each class occurs. Default: classes are assumed to be numbered by descending frequency. */
  readonly frequencies?: ArrayLike<number>;
}

/**
 * Creates the layer. Cost of a step: 6·m·d·(shortlist + tails) operations and, for each example with a target in tail i,
 * 6 times (classes of tail i)·(features of tail i). Outputs of a part beyond 2²⁵ numbers (128 MiB) are computed twice.
 * @throws OutputLayerError `bad-option` (also for fewer than two classes), `non-finite`; LinalgError `out-of-memory`.
 */
export async function createAdaptiveSoftmaxLayer(
  backend: Backend,
  options: AdaptiveSoftmaxOptions,
): Promise<SoftmaxLayer> {
  const cutoffs = checkedCutoffs(options);
  const layer = new SoftmaxLayer(
    new AdaptiveSoftmax(backend, options, cutoffs),
    weightOptions(options).rule,
    options.reduction,
  );
  await backend.synchronize();
  return layer;
}

class AdaptiveSoftmax implements SoftmaxMethod {
  readonly kind = kind;
  readonly isNormalized = true;
  readonly classes: number;
  readonly features: number;
  readonly workspace: Workspace;
  readonly #divValue: number;
  readonly #parts: AdaptiveParts;
  readonly #head: ClassTable;
  readonly #headSoftmax: BlockedSoftmax;
  readonly #tails: readonly AdaptiveTail[];
  readonly #scores: AdaptiveScores;
  readonly #headTargets = new TargetList();
  readonly #singleTargets = new TargetList();

  constructor(backend: Backend, options: AdaptiveSoftmaxOptions, cutoffs: readonly number[]) {
    const { classes, features, divValue = 4, headBias = false, frequencies } = options;
    const { initialScale, seed, rule } = weightOptions(options);
    const workspace = new Workspace(backend);
    this.classes = classes;
    this.features = features;
    this.workspace = workspace;
    this.#divValue = divValue;
    this.#parts = new AdaptiveParts(classes, cutoffs, frequencies);
    const { shortlist, tails, bounds } = this.#parts;
    this.#head = new ClassTable(
      backend,
      { name: 'head', rows: shortlist + tails, features, bias: headBias, initialScale, seed, rule },
      workspace,
    );
    this.#headSoftmax = new BlockedSoftmax(this.#head, workspace);
    this.#tails = Array.from({ length: tails }, (_, tail) => {
      const [first, end] = [bounds[tail]!, bounds[tail + 1]!];
      const width = widthOfTail(features, divValue, tail);
      return new AdaptiveTail(
        backend,
        { name: `tail.${tail}`, classes: end - first, features, width, initialScale, seed: seed + 2 * tail + 1, rule },
        workspace,
      );
    });
    this.#scores = new AdaptiveScores(workspace, this.#head, this.#headSoftmax, this.#tails, this.#parts);
  }

  forward({ hidden, targets }: TrainingBatch): ForwardResult {
    return { losses: this.#losses(hidden, targets, { keep: true }), watched: [] };
  }

  /**
   * If the losses are finite, nothing here can overflow: the gradients are combinations of weights with factors no
   * larger than the targets.
   */
  update({ hidden, factors }: TrainingBatch, learningRate: number, step: number): Matrix {
    const gradient = this.workspace.matrix('hidden gradient', hidden.rows, this.#head.width);
    fill(0, gradient);
    this.#headSoftmax.update(this.#extended(hidden), this.#headTargets, factors, gradient, { learningRate, step });
    for (const tail of this.#tails) tail.update(factors, gradient, { learningRate, step });
    return withoutBiasFeature(this.workspace, gradient, this.features);
  }

  computeLosses(hidden: Matrix, targets: TargetList): Matrix {
    return this.#losses(hidden, targets, {});
  }

  /**
   * log p. Cost: O(m·count·d) and, for each tail in the range, once per hidden matrix, O(m) times the rows of the tail;
   * see adaptive-scores.ts.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix, sameHidden: boolean): void {
    this.#scores.range(hidden, this.#extended(hidden), firstClass, out, sameHidden);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#singleTargets.buildSingle(classes);
    fill(0, out);
    axpy(-1, this.#losses(hidden, this.#singleTargets, { name: 'losses of classScores' }), out);
  }

  /**
   * The vector that multiplies h in log p: for a class of the head its row; for a class of a tail its row multiplied by
   * the tail's projection, plus the head's row for that tail.
   */
  classVectors(firstClass: number, out: Matrix): void {
    for (const [part, { places, rows }] of this.#parts.split(firstClass, out.rows).entries()) {
      if (places.length === 0) continue;
      const headRows = this.workspace.matrix('vector head rows', rows.length, this.#head.width);
      const headRowOfClass = part === 0 ? rows : new Int32Array(rows.length).fill(this.#parts.shortlist + part - 1);
      this.#head.gather(this.workspace.indices('vector head list', headRowOfClass), headRows);
      const vectors = this.workspace.matrix('vectors', rows.length, this.features);
      copyColumns(headRows, 0, vectors, 0, this.features);
      const own = this.workspace.matrix('vector tail part', rows.length, this.features);
      this.#tails[part - 1]?.vectors(rows, own);
      if (part > 0) axpy(1, own, vectors);
      scatterRows(vectors, this.workspace.indices('vector places', places), out);
    }
  }

  configuration(): JsonObject {
    return { headBias: this.#head.bias, divValue: this.#divValue, cutoffs: this.#parts.bounds.slice(0, -1) };
  }

  tensors(): TensorSource[] {
    const { ranks } = this.#parts;
    return [
      ...this.#head.tensors(),
      ...this.#tails.flatMap((tail) => tail.tensors()),
      ...(ranks === undefined ? [] : [integerTensor('rank_of_class', ranks)]),
    ];
  }

  async checkState(state: ModuleState): Promise<void> {
    const { ranks } = this.#parts;
    this.#head.checkState(state);
    for (const tail of this.#tails) tail.checkState(state);
    if (ranks !== undefined) await checkSameIntegers(state, 'rank_of_class', ranks, kind);
    else if (state.tensors.some(({ name }) => name === 'rank_of_class')) {
      throw new StateError(
        'state-mismatch',
        `${kind} layer: the state's classes are ranked by frequencies, the layer's by their numbers`,
      );
    }
  }

  async restore(state: ModuleState): Promise<void> {
    await this.#head.restore(state);
    for (const tail of this.#tails) await tail.restore(state);
  }

  [Symbol.dispose](): void {
    this.#headSoftmax[Symbol.dispose]();
    this.#head[Symbol.dispose]();
    for (const tail of this.#tails) tail[Symbol.dispose]();
  }

  /**
   * Splits the targets: each is a target of the head (the class itself, or its tail), and a class of a tail is also a
   * target of that tail.
   */
  #split({ examples, count, rows, classes, weights }: TargetList): void {
    this.#headTargets.begin(examples, count);
    for (const tail of this.#tails) tail.begin(count);
    for (let entry = 0; entry < count; entry++) {
      const rank = this.#parts.rankOf(classes[entry]!);
      const part = this.#parts.partOf(rank);
      const weight = weights[entry]!;
      this.#headTargets.add(rows[entry]!, part === 0 ? rank : this.#parts.shortlist + part - 1, weight);
      this.#tails[part - 1]?.add(rows[entry]!, rank - this.#parts.firstOf(part), weight);
    }
  }

  #losses(hidden: Matrix, targets: TargetList, options: ForwardOptions): Matrix {
    this.#split(targets);
    const losses = this.#headSoftmax.forward(this.#extended(hidden), this.#headTargets, options);
    for (const tail of this.#tails) tail.forward(hidden, losses, options);
    return losses;
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.workspace, hidden, this.#head.bias);
  }
}

function checkedCutoffs(options: AdaptiveSoftmaxOptions): readonly number[] {
  checkLayerOptions(kind, options);
  const { classes, features, divValue = 4, frequencies, cutoffs } = options;
  checkWhole(kind, 'classes', classes, 2, 2 ** 31 - 1);
  if (!(divValue >= 1) || !Number.isFinite(divValue)) {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: divValue must be a finite number of at least 1, got ${divValue}`,
    );
  }
  if (frequencies !== undefined) checkPerClass(kind, 'frequencies', frequencies, classes, 0);
  if (cutoffs !== undefined) {
    checkCutoffs(kind, cutoffs, classes);
    return cutoffs;
  }
  const sorted = frequencies === undefined ? undefined : Float64Array.from(frequencies).sort().reverse();
  return balancedCutoffs({ classes, features, divValue, ...(sorted === undefined ? {} : { frequencies: sorted }) });
}
