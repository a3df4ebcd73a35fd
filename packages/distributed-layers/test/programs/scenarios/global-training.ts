/**
 * Softmax layers trained by ranks that share minibatches of a seed, and by one process: what both do, and what they can
 * be compared by.
 */
import type { Communicator } from '@vastmax/collectives';
import { createMatrixFrom, read } from '@vastmax/linalg-core';
import { ranksOf, type OutputLayer } from '@vastmax/output-layer';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { partOf, rowsOfTargets } from '../distributed-run.ts';

export const classes = 53;
export const features = 6;
const learningRate = 0.3;
const batch = 9;

interface GlobalBatch {
  readonly hidden: Float64Array;
  readonly targets: CsrRows;
  readonly weights: Float64Array;
  readonly examples: number;
}

/** Now and then a step has two examples, which are rank 0's, or none. */
const examplesOf = (step: number): number => (step % 7 === 3 ? 2 : step % 11 === 5 ? 0 : batch);

/** Ragged weighted targets, some examples without, and classes that several examples share. */
function globalBatches(): () => GlobalBatch {
  const random = new RandomGenerator(8);
  let step = 0;
  return () => {
    const examples = examplesOf(step++);
    const hidden = Float64Array.from({ length: examples * features }, () => random.normal());
    const lists = Array.from({ length: examples }, (_, j) =>
      Array.from({ length: (j + 1) % 4 }, () => (random.uniform() < 0.3 ? 5 : random.integer(classes))),
    );
    const values = lists.map((list) => list.map(() => 0.2 + random.uniform()));
    return {
      hidden,
      targets: csrFromLists(lists, classes, values),
      weights: Float64Array.from({ length: examples }, () => 0.5 + random.uniform()),
      examples,
    };
  };
}

export interface GlobalTraining {
  readonly steps: number;
  /** Minibatches left out before the first. */
  readonly skip?: number;
  /** Put a NaN into the activations of this rank at the last step. */
  readonly spoil?: number;
}

export interface GlobalAnswer {
  /** Of this rank's examples, of all steps one after the other. */
  readonly losses: readonly number[];
  readonly gradients: readonly number[];
  readonly evaluated: readonly number[];
  /** Of the same examples on every rank. */
  readonly ranks: readonly number[];
  readonly classVectors: readonly number[];
  readonly refusal?: string;
}

type Place = Pick<Communicator, 'rank' | 'size'>;

/** A rank's part of each; all of it for the only one. */
function ownBatches({
  rank,
  size,
}: Place): () => { values: number[]; targets: CsrRows; weights: number[]; count: number } {
  const next = globalBatches();
  return () => {
    const { hidden, targets, weights, examples } = next();
    const mine = partOf(rank, size, examples);
    const own = (numbers: Float64Array, width: number): number[] =>
      mine.flatMap((j) => Array.from(numbers.subarray(j * width, (j + 1) * width)));
    return {
      values: own(hidden, features),
      targets: rowsOfTargets(targets, mine),
      weights: own(weights, 1),
      count: mine.length,
    };
  };
}

/** Steps alone, to be gone on with. */
export function createGlobalTraining(place: Place, layer: OutputLayer): (steps: number) => Promise<void> {
  const next = ownBatches(place);
  return async (steps) => {
    for (let step = 0; step < steps; step++) {
      const { values, targets, weights, count } = next();
      using hidden = createMatrixFrom(layer.backend, count, features, values);
      await layer.step(hidden, targets, { learningRate, exampleWeights: weights });
    }
  };
}

/** The training of one rank, and what it leads to. */
export async function trainGlobalBatches(
  place: Place,
  layer: OutputLayer,
  { steps, skip = 0, spoil }: GlobalTraining,
): Promise<GlobalAnswer> {
  const nextOwn = ownBatches(place);
  for (let step = 0; step < skip; step++) nextOwn();
  const losses: number[] = [];
  const gradients: number[] = [];
  let refusal: string | undefined;
  for (let step = 0; step < steps; step++) {
    const { values, targets, weights, count } = nextOwn();
    const isSpoilt = spoil !== undefined && step === steps - 1;
    if (isSpoilt && place.rank === spoil) values[1] = Number.NaN;
    using hidden = createMatrixFrom(layer.backend, count, features, values);
    try {
      const result = await layer.step(hidden, targets, { learningRate, exampleWeights: weights });
      losses.push(...(await read(result.losses)));
      gradients.push(...(await read(result.hiddenGradient)));
    } catch (error) {
      if (!isSpoilt) throw error;
      refusal = error instanceof Error ? error.message : String(error);
    }
  }
  const { values, targets, count } = nextOwn();
  using hidden = createMatrixFrom(layer.backend, count, features, values);
  const evaluated = Array.from(await read(await layer.evaluate(hidden, targets)));
  using few = createMatrixFrom(
    layer.backend,
    3,
    features,
    Float64Array.from({ length: 3 * features }, (_, i) => Math.sin(i)),
  );
  const ranks = Array.from(await ranksOf(layer, few, Int32Array.of(0, 17, classes - 1)));
  return {
    losses,
    gradients,
    evaluated,
    ranks,
    classVectors: await vectorsOf(layer),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

export async function vectorsOf(layer: OutputLayer): Promise<number[]> {
  using vectors = layer.backend.createMatrix(classes, features);
  layer.classVectors(0, vectors);
  return Array.from(await read(vectors));
}

/** What the ranks have for each example of steps `first` …, in the order of the examples. */
export function inUnionOrder(
  answers: readonly GlobalAnswer[],
  of: (answer: GlobalAnswer) => readonly number[],
  width: number,
  first: number,
  steps: number,
): number[] {
  const out: number[] = [];
  const places = answers.map(() => 0);
  for (let step = first; step < first + steps; step++) {
    const begin = out.length;
    for (const [rank, answer] of answers.entries()) {
      for (const example of partOf(rank, answers.length, examplesOf(step))) {
        const place = places[rank]!;
        for (let i = 0; i < width; i++) out[begin + example * width + i] = of(answer)[place + i]!;
        places[rank] = place + width;
      }
    }
  }
  return out;
}
