/**
 * A tail of the hybrid layer: a normalised layer over a range of classes. What the layer asks of a tail beside what all
 * output layers have is here, by the kind of the tail.
 */
import type { Matrix } from '@vastmax/linalg-core';
import { OutputLayerError, type TwoPhaseOutputLayer } from '@vastmax/output-layer';
import type { TreeSoftmaxLayer } from '@vastmax/softmax-losses';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';

/**
 * What a tail is: an exact factored layer, a tree of softmaxes, or, over ranks, a normalised layer whose scores are
 * log p.
 */
export type HybridTail = FactoredOutputLayer | TreeSoftmaxLayer | TwoPhaseOutputLayer;

function isFactored(tail: HybridTail): tail is FactoredOutputLayer {
  return 'logProbabilities' in tail;
}

function isTree(tail: HybridTail): tail is TreeSoftmaxLayer {
  return 'method' in tail;
}

/** log p(c | tail) of classes `firstClass` …, m×count. */
export function tailLogProbabilities(tail: HybridTail, hidden: Matrix, firstClass: number, out: Matrix): void {
  if (isFactored(tail)) tail.logProbabilities(hidden, firstClass, out);
  else tail.scores(hidden, firstClass, out);
}

/** log p(c | tail) of one class for each example, m×1. */
export function tailClassLogProbabilities(tail: HybridTail, hidden: Matrix, classes: Int32Array, out: Matrix): void {
  if (isFactored(tail)) tail.classLogProbabilities(hidden, classes, out);
  else tail.classScores(hidden, classes, out);
}

/**
 * See {@link FactoredOutputLayer.addClasses}. A tree has no constants.
 * @throws OutputLayerError `bad-option` over ranks.
 */
export function addTailClasses(tail: HybridTail, values: ArrayLike<number>, constants?: ArrayLike<number>): void {
  if (isFactored(tail)) tail.addClasses(values, constants);
  else if (isTree(tail))
    tail.change('addClasses', (method) => {
      method.addClasses(values);
    });
  else
    throw new OutputLayerError(
      'bad-option',
      'hybrid addClasses: classes are added in one process, not over ranks; restore the merged state there',
    );
}
