/**
 * Two-level hierarchical softmax, p(c | h) = p(cluster | h) p(c | cluster, h) (J. Goodman, ICASSP 2001; F. Morin and Y.
 * Bengio, AISTATS 2005). With √D clusters of √D classes the cost of a target is O(√D·d) instead of O(D·d).
 */
import { axpy, copyColumns, fill, Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { OutputLayerError, withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { ClassTable } from '../class-table/class-table.ts';
import { BlockedSoftmax } from '../full/blocked-softmax.ts';
import { checkSameIntegers, integerTensor } from '../layer/integer-tensor.ts';
import { checkLayerOptions, checkPerClass, weightOptions, type SoftmaxLayerOptions } from '../layer/layer-options.ts';
import { SoftmaxLayer } from '../layer/softmax-layer.ts';
import type { ForwardResult, SoftmaxMethod, TrainingBatch } from '../layer/softmax-method.ts';
import { TargetList } from '../layer/target-list.ts';
import { layoutByAssignment, layoutByFrequency, type ClusterLayout } from './cluster-layout.ts';
import { ClusterScores } from './cluster-scores.ts';
import { InClusterSoftmax } from './in-cluster-softmax.ts';

const kind = 'hierarchical-softmax';

/** Options of the two-level softmax: which class is in which cluster, by frequency unless given. */
export interface HierarchicalSoftmaxOptions extends SoftmaxLayerOptions {
  /**
   * How often each class occurs. The layer then has ⌈√D⌉ clusters of equal size in order of frequency. Default: classes
   * are assumed to be numbered in that order already.
   */
  readonly frequencies?: ArrayLike<number>;
  /** The cluster of each class, numbered from 0 without gaps, instead of clusters by frequency. */
  readonly assignment?: Int32Array;
}

/**
 * Creates the layer. Cost of a step: O((C + S)·d) per example, for C clusters and S classes in the target's cluster.
 * Memory: 4(D + C)(d + 1) bytes of weights, 8 bytes per class on the host.
 * @throws OutputLayerError `bad-option`, `non-finite`; LinalgError `out-of-memory`.
 */
export async function createHierarchicalSoftmaxLayer(
  backend: Backend,
  options: HierarchicalSoftmaxOptions,
): Promise<SoftmaxLayer> {
  const layout = checkedLayout(options);
  const layer = new SoftmaxLayer(
    new TwoLevelSoftmax(backend, options, layout),
    weightOptions(options).rule,
    options.reduction,
  );
  await backend.synchronize();
  return layer;
}

class TwoLevelSoftmax implements SoftmaxMethod {
  readonly kind = kind;
  readonly isNormalized = true;
  readonly classes: number;
  readonly features: number;
  readonly workspace: Workspace;
  readonly #layout: ClusterLayout;
  readonly #clusterTable: ClassTable;
  readonly #table: ClassTable;
  readonly #clusterSoftmax: BlockedSoftmax;
  readonly #inCluster: InClusterSoftmax;
  readonly #scores: ClusterScores;
  /** The clusters of the targets: the targets of the first level. */
  readonly #clusterTargets = new TargetList();
  readonly #singleTargets = new TargetList();

  constructor(backend: Backend, options: HierarchicalSoftmaxOptions, layout: ClusterLayout) {
    const { classes, features } = options;
    const weights = weightOptions(options);
    this.classes = classes;
    this.features = features;
    this.workspace = new Workspace(backend);
    this.#layout = layout;
    this.#clusterTable = new ClassTable(
      backend,
      { name: 'clusters', rows: layout.clusters, features, ...weights, seed: weights.seed + 1 },
      this.workspace,
    );
    this.#table = new ClassTable(backend, { name: 'classes', rows: classes, features, ...weights }, this.workspace);
    this.#clusterSoftmax = new BlockedSoftmax(this.#clusterTable, this.workspace, { blockRows: layout.clusters });
    this.#inCluster = new InClusterSoftmax(this.workspace, this.#table, layout);
    this.#scores = new ClusterScores(this.workspace, this.#clusterTable, this.#table, layout);
  }

  forward({ hidden, targets, factors }: TrainingBatch): ForwardResult {
    const hiddenGradient = this.workspace.matrix('hidden gradient', hidden.rows, this.#table.width);
    fill(0, hiddenGradient);
    return { losses: this.#losses(hidden, targets, { factors, hiddenGradient }), watched: [hiddenGradient] };
  }

  update({ hidden, factors }: TrainingBatch, learningRate: number, step: number): Matrix {
    const extended = this.#extended(hidden);
    const hiddenGradient = this.workspace.matrix('hidden gradient', hidden.rows, this.#table.width);
    this.#clusterSoftmax.update(extended, this.#clusterTargets, factors, hiddenGradient, { learningRate, step });
    this.#inCluster.update(extended, learningRate, step);
    return withoutBiasFeature(this.workspace, hiddenGradient, this.features);
  }

  computeLosses(hidden: Matrix, targets: TargetList): Matrix {
    return this.#losses(hidden, targets);
  }

  /** log p. O(m·count·d) if classes are numbered in the order of their clusters; see cluster-scores.ts. */
  scores(hidden: Matrix, firstClass: number, out: Matrix, sameHidden: boolean): void {
    this.#scores.range(this.#extended(hidden), firstClass, out, sameHidden);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#singleTargets.buildSingle(classes);
    fill(0, out);
    axpy(-1, this.#losses(hidden, this.#singleTargets, undefined, 'losses of classScores'), out);
  }

  /** The vector that multiplies h in log p, apart from the normalisers: a class's row plus the row of its cluster. */
  classVectors(firstClass: number, out: Matrix): void {
    const { rowOf, clusterOf } = this.#layout;
    const rows = this.workspace.matrix('vector rows', out.rows, this.#table.width);
    const clusterRows = this.workspace.matrix('vector cluster rows', out.rows, this.#table.width);
    this.#table.gather(
      this.workspace.indices('vector classes', rowOf.subarray(firstClass, firstClass + out.rows)),
      rows,
    );
    this.#clusterTable.gather(
      this.workspace.indices('vector clusters', clusterOf.subarray(firstClass, firstClass + out.rows)),
      clusterRows,
    );
    axpy(1, clusterRows, rows);
    copyColumns(rows, 0, out, 0, this.features);
  }

  configuration(): JsonObject {
    return { bias: this.#table.bias, clusters: this.#layout.clusters };
  }

  tensors(): TensorSource[] {
    return [
      ...this.#clusterTable.tensors(),
      ...this.#table.tensors(),
      integerTensor('cluster_of_class', this.#layout.clusterOf),
    ];
  }

  async checkState(state: ModuleState): Promise<void> {
    this.#clusterTable.checkState(state);
    this.#table.checkState(state);
    await checkSameIntegers(state, 'cluster_of_class', this.#layout.clusterOf, kind);
  }

  async restore(state: ModuleState): Promise<void> {
    await this.#clusterTable.restore(state);
    await this.#table.restore(state);
  }

  [Symbol.dispose](): void {
    this.#clusterSoftmax[Symbol.dispose]();
    this.#clusterTable[Symbol.dispose]();
    this.#table[Symbol.dispose]();
  }

  #losses(
    hidden: Matrix,
    targets: TargetList,
    training?: { readonly factors: Float64Array; readonly hiddenGradient: Matrix },
    name?: string,
  ): Matrix {
    const extended = this.#extended(hidden);
    this.#clusterTargets.buildFrom(targets, this.#layout.clusterOf);
    const losses = this.#clusterSoftmax.forward(extended, this.#clusterTargets, {
      ...(name === undefined ? {} : { name }),
      keep: training !== undefined,
    });
    this.#inCluster.forward(extended, targets, losses, training);
    return losses;
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.workspace, hidden, this.#table.bias);
  }
}

function checkedLayout(options: HierarchicalSoftmaxOptions): ClusterLayout {
  checkLayerOptions(kind, options);
  const { classes, frequencies, assignment } = options;
  if (assignment !== undefined) {
    if (frequencies !== undefined)
      throw new OutputLayerError('bad-option', `${kind}: give frequencies or an assignment, not both`);
    return layoutByAssignment(kind, classes, assignment);
  }
  if (frequencies !== undefined) checkPerClass(kind, 'frequencies', frequencies, classes, 0);
  return layoutByFrequency(classes, frequencies);
}
