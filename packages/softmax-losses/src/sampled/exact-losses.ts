/**
 * Exact losses over all D classes, computed in blocks of classes. Evaluation reports them, however training samples.
 * O(m·D·width) operations, O(m·block) memory. The results of the blocks are stored separately, m×(D/block), and
 * combined once, so that a sum is rounded once and not after every block.
 */
import {
  affine,
  binary,
  copyColumns,
  reduce,
  scaleRows,
  scatterAddRows,
  unary,
  write,
  type Matrix,
} from '@vastmax/linalg-core';
import type { TargetList } from '../layer/target-list.ts';
import type { FixedProposal } from '../proposals/proposal.ts';
import type { ClassVectors } from './class-vectors.ts';
import { writeMatrix } from './sampled-criterion.ts';

const classesPerBlock = 1024;

/** A TargetList, or merged targets. */
export type TargetEntries = Pick<TargetList, 'examples' | 'count' | 'rows' | 'classes' | 'weights'>;

/** Calls `visit` with the logits of each block. */
function forEachBlock(
  classVectors: ClassVectors,
  queries: Matrix,
  visit: (logits: Matrix, block: number, first: number) => void,
): void {
  const { classes, workspace } = classVectors;
  for (let block = 0, first = 0; first < classes; block++, first += classesPerBlock) {
    const logits = workspace.matrix('block logits', queries.rows, Math.min(classesPerBlock, classes - first));
    classVectors.rangeLogits(queries, first, logits);
    visit(logits, block, first);
  }
}

/** An m×blocks matrix, for one column from each block. */
function columnsOf({ workspace, classes }: ClassVectors, name: string, examples: number): Matrix {
  return workspace.matrix(name, examples, Math.ceil(classes / classesPerBlock));
}

/** −Σ y ln p with p = softmax over all classes; m×1. */
export function softmaxLosses(classVectors: ClassVectors, queries: Matrix, targets: TargetEntries): Matrix {
  const { workspace } = classVectors;
  const { examples, count, rows, weights } = targets;
  const maxima = columnsOf(classVectors, 'block maxima', examples);
  const sums = columnsOf(classVectors, 'block sums', examples);
  const column = workspace.matrix('block column', examples, 1);
  forEachBlock(classVectors, queries, (logits, block) => {
    reduce('maximum', logits, column);
    copyColumns(column, 0, maxima, block, 1);
    binary('subtract', logits, column, logits);
    unary('exp', logits, logits);
    reduce('sum', logits, column);
    copyColumns(column, 0, sums, block, 1);
  });
  const logPartition = workspace.matrix('log partition', examples, 1);
  reduce('maximum', maxima, column);
  binary('subtract', maxima, column, maxima);
  unary('exp', maxima, maxima);
  binary('multiply', sums, maxima, sums);
  reduce('sum', sums, logPartition);
  unary('log', logPartition, logPartition);
  binary('add', logPartition, column, logPartition);

  const losses = workspace.matrix('losses', examples, 1);
  const outputs = workspace.matrix('target logits', count, 1);
  const { examples: places } = classVectors.pairLogits(queries, rows, targets.classes, count, outputs);
  scaleRows(logPartition, writeMatrix(workspace, 'target totals', totalsOf(targets), examples, 1), losses);
  scaleRows(outputs, writeMatrix(workspace, 'target weights', weights, count, 1), outputs);
  scatterAddRows(outputs, places, losses, { scale: -1 });
  return losses;
}

/**
 * The expectation of the negative-sampling loss over the samples; m×1: Σ y (ln(1 + e^(−o_t)) + n Σ P(i) ln(1 +
 * e^(o_i))), the inner sum over all classes or, with `removeHits`, over the classes that are not a target of the
 * example (`targets` must then be merged).
 * @param totals Σ y of each example; must be given if `targets` contains only the targets of a part of the classes.
 */
export function expectedLogisticLosses(
  classVectors: ClassVectors,
  queries: Matrix,
  targets: TargetEntries,
  sampling: {
    readonly proposal: Pick<FixedProposal, 'logProbability'>;
    readonly tries: number;
    readonly removeHits: boolean;
  },
  totals: Float64Array = totalsOf(targets),
): Matrix {
  const { workspace } = classVectors;
  const { examples, count, rows, classes, weights } = targets;
  const { proposal, tries, removeHits } = sampling;
  const expectedCount = (target: number): number => tries * Math.exp(proposal.logProbability(target));
  const sums = columnsOf(classVectors, 'block sums', examples);
  const column = workspace.matrix('block column', examples, 1);
  const counts = new Float64Array(Math.min(classesPerBlock, classVectors.classes));
  forEachBlock(classVectors, queries, (logits, block, first) => {
    for (let i = 0; i < logits.columns; i++) counts[i] = expectedCount(first + i);
    unary('softplus', logits, logits);
    binary('multiply', logits, writeMatrix(workspace, 'expected counts', counts, 1, logits.columns), logits);
    reduce('sum', logits, column);
    copyColumns(column, 0, sums, block, 1);
  });
  const losses = workspace.matrix('losses', examples, 1);
  reduce('sum', sums, losses);
  scaleRows(losses, writeMatrix(workspace, 'target totals', totals, examples, 1), losses);

  const outputs = workspace.matrix('target logits', count, 1);
  const surprisals = workspace.matrix('target surprisals', count, 1);
  const factors = workspace.matrix('target weights', count, 1);
  const { examples: places } = classVectors.pairLogits(queries, rows, classes, count, outputs);
  if (removeHits) {
    unary('softplus', outputs, surprisals);
    write(
      Float64Array.from({ length: count }, (_, pair) => -totals[rows[pair]!]! * expectedCount(classes[pair]!)),
      factors,
    );
    scaleRows(surprisals, factors, surprisals);
    scatterAddRows(surprisals, places, losses);
  }
  affine(outputs, -1, 0, outputs);
  unary('softplus', outputs, surprisals);
  scaleRows(surprisals, writeMatrix(workspace, 'target weights', weights, count, 1), surprisals);
  scatterAddRows(surprisals, places, losses);
  return losses;
}

/** Σ y of each example. */
function totalsOf({ examples, count, rows, weights }: TargetEntries): Float64Array {
  const totals = new Float64Array(examples);
  for (let entry = 0; entry < count; entry++) totals[rows[entry]!]! += weights[entry]!;
  return totals;
}
