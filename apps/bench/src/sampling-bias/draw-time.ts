/**
 * What a draw costs as the classes grow: random Fourier trees over random vectors of length 1, since the cost does not
 * depend on what the vectors are. The classes of a leaf and the features stay as they are, so that only the depth
 * grows.
 */
import type { Backend } from '@vastmax/linalg-core';
import { createRandomFourierProposal, type KernelProposal } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { ShowStage } from '../reporting/stage-progress.ts';

export interface DrawTimeRow {
  readonly classes: number;
  /** Scalar products with node sums for one draw of a new query: the depth of the tree. */
  readonly nodesPerDraw: number;
  /** One draw for each query, what a query costs before its first draw left out. */
  readonly microsecondsPerDraw: number;
  /** 100 draws for each query, everything included. */
  readonly microsecondsPerDrawOf100: number;
}

/** y = intercept + slope·log₂ D by least squares. */
export interface LogarithmicFit {
  readonly intercept: number;
  /** For each doubling of D. */
  readonly slope: number;
  /** Share of the variance of y that it explains. */
  readonly rSquared: number;
}

export interface DrawTimeOptions {
  readonly classCounts: readonly number[];
  readonly width: number;
  readonly frequencies: number;
  readonly queries: number;
  readonly rounds: number;
}

const drawsOfMany = 100;

export async function measureDrawTimes(
  backend: Backend,
  options: DrawTimeOptions,
  show: ShowStage,
): Promise<DrawTimeRow[]> {
  const { classCounts, width, frequencies, queries, rounds } = options;
  const rows: DrawTimeRow[] = [];
  for (const classes of classCounts) {
    show('draw time', `${classes} classes`);
    const random = new RandomGenerator(classes);
    const proposal = createRandomFourierProposal(classes, width, { frequencies, nu: 4, backend });
    await proposal.rebuild({
      classes,
      width,
      read: (_first, count) => Promise.resolve(createUnitVectors(count, width, random)),
    });
    rows.push(timeDraws(proposal, createUnitVectors(queries, width, random), queries, rounds, random));
  }
  return rows;
}

/** The fastest of some rounds: what disturbs a round only makes it slower. */
function timeDraws(
  proposal: KernelProposal,
  vectors: Float32Array,
  queries: number,
  rounds: number,
  random: RandomGenerator,
): DrawTimeRow {
  const classes = new Int32Array(queries * drawsOfMany);
  const logProbabilities = new Float64Array(queries * drawsOfMany);
  const secondsFor = (draws: number): number => {
    const start = performance.now();
    proposal.draw(vectors, queries, draws, random, classes, logProbabilities);
    return (performance.now() - start) / 1000;
  };
  let none = Infinity;
  let one = Infinity;
  let many = Infinity;
  let nodes = 0;
  for (let round = 0; round < rounds; round++) {
    none = Math.min(none, secondsFor(0));
    const before = proposal.counters().nodesScored;
    one = Math.min(one, secondsFor(1));
    nodes = (proposal.counters().nodesScored - before) / queries;
    many = Math.min(many, secondsFor(drawsOfMany));
  }
  return {
    classes: proposal.classes,
    nodesPerDraw: nodes,
    microsecondsPerDraw: ((one - none) / queries) * 1e6,
    microsecondsPerDrawOf100: (many / queries / drawsOfMany) * 1e6,
  };
}

export function fitLogarithm(classes: readonly number[], values: readonly number[]): LogarithmicFit {
  const x = classes.map(Math.log2);
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const meanX = mean(x);
  const meanY = mean(values);
  const across = mean(x.map((one, i) => (one - meanX) * (values[i]! - meanY)));
  const slope = across / mean(x.map((one) => (one - meanX) ** 2));
  const residual = mean(x.map((one, i) => (values[i]! - meanY - slope * (one - meanX)) ** 2));
  const variance = mean(values.map((one) => (one - meanY) ** 2));
  return { intercept: meanY - slope * meanX, slope, rSquared: 1 - residual / variance };
}

/** count×width, each of length 1. */
function createUnitVectors(count: number, width: number, random: RandomGenerator): Float32Array {
  const vectors = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    let square = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      vectors[i] = random.normal();
      square += vectors[i]! ** 2;
    }
    for (let i = row * width; i < (row + 1) * width; i++) vectors[i] = vectors[i]! / Math.sqrt(square);
  }
  return vectors;
}
