/**
 * A tail of the hybrid layer: a normalised layer over a range of classes. What the layer asks of a tail beside what all
 * output layers have is here, by the kind of the tail.
 */
import type { Matrix } from '@vastmax/linalg-core';
import type { TreeSoftmaxLayer } from '@vastmax/softmax-losses';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';

/** What a tail is: an exact factored layer, or a tree of softmaxes. */
export type HybridTail = FactoredOutputLayer | TreeSoftmaxLayer;

function isTree(tail: HybridTail): tail is TreeSoftmaxLayer {
  return 'method' in tail;
}

/** log p(c | tail) of classes `firstClass` …, m×count. */
export function tailLogProbabilities(tail: HybridTail, hidden: Matrix, firstClass: number, out: Matrix): void {
  // The scores of a tree are log p.
  if (isTree(tail)) tail.scores(hidden, firstClass, out);
  else tail.logProbabilities(hidden, firstClass, out);
}

/** log p(c | tail) of one class for each example, m×1. */
export function tailClassLogProbabilities(tail: HybridTail, hidden: Matrix, classes: Int32Array, out: Matrix): void {
  if (isTree(tail)) tail.classScores(hidden, classes, out);
  else tail.classLogProbabilities(hidden, classes, out);
}

/** See {@link FactoredOutputLayer.addClasses}. A tree has no constants. */
export function addTailClasses(tail: HybridTail, values: ArrayLike<number>, constants?: ArrayLike<number>): void {
  if (!isTree(tail)) {
    tail.addClasses(values, constants);
    return;
  }
  tail.change('addClasses', (method) => {
    method.addClasses(values);
  });
}
