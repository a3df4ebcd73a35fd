/**
 * Kernel sampling as a proposal: negatives are drawn for each example with P(i) approximately ∝ k(h, c_i), by
 * descending a tree of feature sums.
 */
import type { Backend, Precision } from '@vastmax/linalg-core';
import { StateError } from '@vastmax/linalg-core/state';
import { OutputLayerError } from '@vastmax/output-layer';
import { checkClasses, type ClassVectorSource, type QueryProposal } from '../proposals/proposal.ts';
import { ChangedClasses } from './changed-classes.ts';
import { fillSums } from './fill-sums.ts';
import { FeatureTree, rebuildSums, writeVectors } from './feature-tree.ts';
import { projectVectors, type KernelFeatures } from './kernel-features.ts';
import { createQuadraticFeatures, type QuadraticFeaturesOptions } from './quadratic-features.ts';
import { createRandomFourierFeatures, type RandomFourierFeaturesOptions } from './random-fourier-features.ts';
import { TreeDescent } from './tree-descent.ts';
import { prepareTreeRestore, treeTensors } from './tree-state.ts';

const rowsPerBlock = 1024;

/** How coarse the tree is, and when it is computed anew. */
export interface KernelTreeOptions {
  /**
   * Classes in a leaf, which are scored one by one. Default: so many that the tree's sums need as much memory as the
   * class vectors.
   */
  readonly leafClasses?: number;
  /**
   * Lower bound of the score of a branch, per class in it; above 0. Default for random Fourier features: 0.5·e^(−ν),
   * half the kernel of a class orthogonal to h. With a smaller floor, branches whose estimate is negative are hardly
   * ever drawn, which increases bias and variance if ν is large compared with R. Default for the quadratic kernel: 1,
   * its lower bound.
   */
  readonly floor?: number;
  /**
   * How much a class vector must change before the tree is updated, relative to its length; default 0.1. With 0 every
   * change updates the tree.
   */
  readonly tolerance?: number;
  /**
   * After so many calls of `classesChanged` the sums are recomputed, which removes accumulated rounding errors; default
   * 10,000.
   */
  readonly rebuildEvery?: number;
  /** Precision of the stored sums and vectors; default f32. */
  readonly precision?: Precision;
  /** A backend with which the tree is filled faster. The proposal does not own it. */
  readonly backend?: Backend;
}

/** The options of the random Fourier features, and of their tree. */
export interface RandomFourierProposalOptions extends RandomFourierFeaturesOptions, KernelTreeOptions {}
/** The options of the quadratic kernel, and of its tree. */
export interface QuadraticProposalOptions extends QuadraticFeaturesOptions, KernelTreeOptions {}

/** Work done by draws and by updates of the tree since creation. */
export interface KernelTreeCounters {
  /** Scalar products with the sums of nodes. */
  readonly nodesScored: number;
  /** Changed classes that were passed to `classesChanged`. */
  readonly classesOffered: number;
  /** Those of them that had changed by more than the tolerance, and were updated in the tree. */
  readonly classesFollowed: number;
}

/** A proposal that draws classes by a kernel of their vectors, through a tree of sums (arXiv:1712.00527). */
export interface KernelProposal extends QueryProposal {
  /** Bytes of the tree: its class vectors and sums. */
  readonly bytes: number;
  counters(): KernelTreeCounters;
}

/**
 * RF-softmax's proposal (A. S. Rawat et al., NeurIPS 2019, arXiv:1907.10747): P(i) approximately ∝ exp(ν hᵀc_i) for
 * vectors of length 1, by R random Fourier features. Cost: O(R log(D/leafClasses) + leafClasses·d) per draw and O(R·d +
 * R log D) per changed class. The reported P is exactly the probability of the draw.
 *
 * **Patent**: US 12,205,005 ("Sampled Softmax with Random Fourier Features", granted January 2025) covers training with
 * this method. The licence of this package grants no right under it. You must find out yourself whether you may use the
 * method in your country.
 * @param width d. @throws OutputLayerError `bad-option`; LinalgError `out-of-memory`.
 */
export function createRandomFourierProposal(
  classes: number,
  width: number,
  options: RandomFourierProposalOptions,
): KernelProposal {
  return createKernelProposal(classes, createRandomFourierFeatures(width, options), {
    floor: 0.5 * Math.exp(-options.nu),
    ...options,
  });
}

/**
 * The proposal of G. Blanc and S. Rendle (ICML 2018, arXiv:1712.00527): P(i) ∝ α(hᵀc_i)² + 1, exactly. Features have
 * d(d+1)/2 + 1 numbers, so the cost is O(d² log(D/leafClasses) + leafClasses·d) per draw and O(d² log D) per changed
 * class.
 * @param width d. @throws OutputLayerError `bad-option`; LinalgError `out-of-memory`.
 */
export function createQuadraticProposal(
  classes: number,
  width: number,
  options: QuadraticProposalOptions = {},
): KernelProposal {
  return createKernelProposal(classes, createQuadraticFeatures(width, options), options);
}

function createKernelProposal(classes: number, features: KernelFeatures, options: KernelTreeOptions): KernelProposal {
  const {
    tolerance = 0.1,
    rebuildEvery = 10_000,
    precision = 'f32',
    floor = features.minKernel,
    leafClasses,
    backend,
  } = options;
  const { name, projectedSize } = features;
  checkClasses(name, classes);
  checkOptions(name, floor, tolerance, rebuildEvery);
  const tree = new FeatureTree({ classes, features, precision, ...(leafClasses === undefined ? {} : { leafClasses }) });
  const descent = new TreeDescent(tree, { floor });
  const changed = new ChangedClasses(tree, tolerance);
  let projected = new Float64Array(projectedSize);
  let changesSinceRebuild = 0;
  let classesOffered = 0;
  let classesFollowed = 0;
  return {
    kind: 'query',
    name,
    classes,
    options: { ...features.options, leafClasses: tree.leafClasses, floor, tolerance, rebuildEvery, precision },
    bytes: tree.bytes,
    counters: () => ({ nodesScored: descent.nodesScored, classesOffered, classesFollowed }),
    rebuild: async (vectors) => {
      checkSource(name, tree, vectors);
      for (let first = 0; first < classes; first += rowsPerBlock) {
        const count = Math.min(rowsPerBlock, classes - first);
        writeVectors(tree, first, count, await vectors.read(first, count));
      }
      await fillSums(tree, backend);
      changesSinceRebuild = 0;
    },
    draw: (queries, examples, count, random, classesOut, logProbabilitiesOut) => {
      if (projected.length < examples * projectedSize)
        projected = new Float64Array(Math.ceil(1.5 * examples) * projectedSize);
      projectVectors(features, queries, examples, projected);
      for (let example = 0, to = 0; example < examples; example++) {
        descent.begin(queries, projected, example);
        for (let i = 0; i < count; i++, to++) {
          classesOut[to] = descent.draw(random);
          logProbabilitiesOut[to] = Math.log(descent.probability);
        }
      }
    },
    classesChanged: (changedClasses, count, vectors) => {
      classesOffered += count;
      classesFollowed += changed.update(changedClasses, count, vectors);
      if (++changesSinceRebuild < rebuildEvery) return;
      rebuildSums(tree);
      changesSinceRebuild = 0;
    },
    state: () => ({ configuration: { changesSinceRebuild }, tensors: treeTensors(tree) }),
    prepareRestore: (state) => {
      const restoreTree = prepareTreeRestore(tree, state);
      const changes = state.configuration['changesSinceRebuild'];
      if (typeof changes !== 'number' || !Number.isSafeInteger(changes) || changes < 0) {
        throw new StateError(
          'state-mismatch',
          `${name} proposal: 'changesSinceRebuild' in the state is ${String(changes)}, expected a whole number`,
        );
      }
      return Promise.resolve(async () => {
        await restoreTree();
        changesSinceRebuild = changes;
      });
    },
  };
}

function checkOptions(name: string, floor: number, tolerance: number, rebuildEvery: number): void {
  if (!Number.isFinite(floor) || floor <= 0) {
    throw new OutputLayerError('bad-option', `${name} proposal: floor must be a finite number above 0, got ${floor}`);
  }
  if (!Number.isFinite(tolerance) || tolerance < 0) {
    throw new OutputLayerError(
      'bad-option',
      `${name} proposal: tolerance must be a finite number of at least 0, got ${tolerance}`,
    );
  }
  if (!Number.isSafeInteger(rebuildEvery) || rebuildEvery < 1) {
    throw new OutputLayerError(
      'bad-option',
      `${name} proposal: rebuildEvery must be a whole number of at least 1, got ${rebuildEvery}`,
    );
  }
}

function checkSource(name: string, { classes, features }: FeatureTree, vectors: ClassVectorSource): void {
  if (vectors.classes === classes && vectors.width === features.dimensions) return;
  throw new OutputLayerError(
    'bad-option',
    `${name} proposal: it was made for ${classes} classes of width ${features.dimensions}, the layer has ${vectors.classes} of width ${vectors.width}`,
  );
}
