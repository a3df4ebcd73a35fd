/**
 * The logits of the negatives, and their gradients. Samples that the minibatch shares need one matrix product,
 * O(m·S·width), at the speed of gemm. Samples of single examples are m·n pairs of a query and a vector, which are
 * gathered, multiplied and scattered in blocks, so that m·n·width numbers are never stored. That is the same number of
 * operations, but limited by memory bandwidth.
 */
import {
  copyColumns,
  fill,
  gatherRows,
  gemm,
  rowDot,
  scaleRows,
  scatterAddRows,
  type Indices,
  type Matrix,
} from '@vastmax/linalg-core';
import type { RowGradient } from '@vastmax/update-rules';
import type { ClassVectors } from './class-vectors.ts';
import { indicesWithCapacity, matrixWithCapacity } from './matrix-with-capacity.ts';
import type { SampleSet } from './sample-set.ts';

export interface NegativeLogits {
  /** m×columns. @param queries m×width. */
  logits(samples: SampleSet, queries: Matrix): Matrix;
  /**
   * out = the contribution of the negatives to the query gradient.
   * @param gradient m×columns, with respect to the logits.
   * @param out m×width.
   */
  queryGradient(samples: SampleSet, gradient: Matrix, out: Matrix): void;
  /** The gradient with respect to the rows of the sampled classes, which are distinct. */
  rowGradient(samples: SampleSet, queries: Matrix, gradient: Matrix): RowGradient;
}

const vectorsName = 'sample vectors';

export function createSharedNegatives(classVectors: ClassVectors): NegativeLogits {
  const { workspace, geometry, width } = classVectors;
  return {
    logits: (samples, queries) => {
      const vectors = classVectors.gather(sampledClasses(classVectors, samples), vectorsName, samples.maxDistinct);
      const out = matrixWithCapacity(workspace, 'sample logits', queries.rows, samples.columns, {
        columns: samples.maxColumns,
      });
      gemm(queries, vectors, out, { transposeB: true });
      return out;
    },
    queryGradient: (samples, gradient, out) => {
      gemm(gradient, sampledVectors(classVectors, samples), out);
    },
    rowGradient: (samples, queries, gradient) => {
      const rows = matrixWithCapacity(workspace, 'sample row gradient', samples.columns, width, {
        rows: samples.maxDistinct,
      });
      gemm(gradient, queries, rows, { transposeA: true });
      geometry.toRowGradient(sampledVectors(classVectors, samples), rows, vectorsName, samples.maxDistinct);
      return { indices: sampledClasses(classVectors, samples), rows };
    },
  };
}

/** Number of pairs that are gathered at once. */
const defaultPairsPerBlock = 2048;

export function createExampleNegatives(
  classVectors: ClassVectors,
  pairsPerBlock: number = defaultPairsPerBlock,
): NegativeLogits {
  const { workspace, geometry, width } = classVectors;
  const column = (count: number): Matrix => workspace.matrix('sampled pair column', count, 1);
  const examples = new Int32Array(pairsPerBlock);

  function forEachBlock(samples: SampleSet, visit: (first: number, count: number, places: Indices) => void): void {
    const all = samples.rows * samples.columns;
    for (let first = 0; first < all; first += pairsPerBlock) {
      const count = Math.min(pairsPerBlock, all - first);
      for (let i = 0; i < count; i++) examples[i] = Math.floor((first + i) / samples.columns);
      visit(first, count, workspace.indices('sampled pair examples', examples, count));
    }
  }

  function gatherPairs(source: Matrix, places: Indices, name: string): Matrix {
    const rows = workspace.matrix(name, places.count, width);
    gatherRows(source, places, rows);
    return rows;
  }

  const slotsOf = (samples: SampleSet, first: number, count: number): Indices =>
    workspace.indices('sampled pair slots', samples.slots.subarray(first, first + count), count);

  /** `count` numbers of a matrix from `first` on, row by row, as count×1. */
  function columnOf(matrix: Matrix, first: number, count: number): Matrix {
    const { rows, columns } = matrix;
    const out = column(count).resize(1, count);
    copyColumns(matrix.resize(1, rows * columns), first, out, 0, count);
    matrix.resize(rows, columns);
    return out.resize(count, 1);
  }

  return {
    logits: (samples, queries) => {
      const { rows, columns } = samples;
      const vectors = classVectors.gather(sampledClasses(classVectors, samples), vectorsName, samples.maxDistinct);
      const out = workspace.matrix('sample logits', 1, rows * columns);
      forEachBlock(samples, (first, count, places) => {
        const pairVectors = gatherPairs(vectors, slotsOf(samples, first, count), 'sampled pair vectors');
        const dots = column(count);
        rowDot(gatherPairs(queries, places, 'sampled pair queries'), pairVectors, dots);
        copyColumns(dots.resize(1, count), 0, out, first, count);
      });
      return out.resize(rows, columns);
    },
    queryGradient: (samples, gradient, out) => {
      fill(0, out);
      forEachBlock(samples, (first, count, places) => {
        const pairVectors = gatherPairs(
          sampledVectors(classVectors, samples),
          slotsOf(samples, first, count),
          'sampled pair vectors',
        );
        scaleRows(pairVectors, columnOf(gradient, first, count), pairVectors);
        scatterAddRows(pairVectors, places, out);
      });
    },
    rowGradient: (samples, queries, gradient) => {
      const rows = matrixWithCapacity(workspace, 'sample row gradient', samples.distinctSamples, width, {
        rows: samples.maxDistinct,
      });
      fill(0, rows);
      forEachBlock(samples, (first, count, places) => {
        const pairQueries = gatherPairs(queries, places, 'sampled pair queries');
        scaleRows(pairQueries, columnOf(gradient, first, count), pairQueries);
        scatterAddRows(pairQueries, slotsOf(samples, first, count), rows);
      });
      geometry.toRowGradient(sampledVectors(classVectors, samples), rows, vectorsName, samples.maxDistinct);
      return { indices: sampledClasses(classVectors, samples), rows };
    },
  };
}

function sampledClasses({ workspace }: ClassVectors, samples: SampleSet): Indices {
  return indicesWithCapacity(
    workspace,
    'sampled classes',
    samples.distinct.values,
    samples.distinctSamples,
    samples.maxDistinct,
  );
}

/** The class vectors that the last call of `logits` gathered. */
function sampledVectors({ workspace, width }: ClassVectors, samples: SampleSet): Matrix {
  return matrixWithCapacity(workspace, vectorsName, samples.distinctSamples, width, { rows: samples.maxDistinct });
}
