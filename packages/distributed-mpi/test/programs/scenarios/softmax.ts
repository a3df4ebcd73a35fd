/** The full softmax over all ranks, each with its part of minibatches that the seed gives. */
import { createVocabularyParallelSoftmax, type Communicator, type VocabularyParallelSoftmax, type VocabularyParallelSoftmaxOptions } from '@vastmax/distributed-mpi';
import { createMatrixFrom, createPlainBackend, read, type Precision } from '@vastmax/linalg-core';
import { ranksOf } from '@vastmax/output-layer';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';
import { partOf, rowsOfTargets } from '../distributed-run.ts';
import { plainState, type PlainState } from './small-layer.ts';

export interface SoftmaxRequest {
  readonly precision: Precision;
  readonly rule: string;
  readonly bias: boolean;
  readonly steps: number;
  /** Classes of a block; 7 of 53 unless given. */
  readonly blockClasses?: number;
  /** Put a NaN into the activations of this rank at the last step. */
  readonly spoil?: number;
}

export interface SoftmaxAnswer {
  /** Of this rank's examples, of all steps one after the other. */
  readonly losses: readonly number[];
  readonly gradients: readonly number[];
  readonly evaluated: readonly number[];
  readonly ranks: readonly number[];
  readonly classVectors: readonly number[];
  readonly state: PlainState;
  readonly refusal?: string;
}

export const classes = 53;
export const features = 6;
export const batch = 9;
const learningRate = 0.3;

export const softmaxOptions = ({ rule, bias }: SoftmaxRequest): VocabularyParallelSoftmaxOptions => ({
  classes, features, bias,
  initialScale: 0.4,
  seed: 4,
  ...(bias ? { initialBiases: Float64Array.from({ length: classes }, (_, k) => -0.05 * k) } : {}),
  rule: createUpdateRule(rule),
});

export interface SoftmaxBatch {
  readonly hidden: Float64Array;
  readonly targets: CsrRows;
  readonly weights: Float64Array;
}

/** Ragged weighted targets, some examples without, and classes that several examples share. */
export function softmaxBatches(): () => SoftmaxBatch {
  const random = new RandomGenerator(8);
  return () => {
    const hidden = Float64Array.from({ length: batch * features }, () => random.normal());
    const lists = Array.from({ length: batch }, (_, j) => Array.from({ length: (j + 1) % 4 }, () => (random.uniform() < 0.3 ? 5 : random.integer(classes))));
    const values = lists.map((list) => list.map(() => 0.2 + random.uniform()));
    return { hidden, targets: csrFromLists(lists, classes, values), weights: Float64Array.from({ length: batch }, () => 0.5 + random.uniform()) };
  };
}

export async function softmax(communicator: Communicator, request: SoftmaxRequest): Promise<SoftmaxAnswer> {
  const { rank, size } = communicator;
  const backend = createPlainBackend({ precision: request.precision });
  using layer = await createVocabularyParallelSoftmax(communicator, backend, { ...softmaxOptions(request), blockClasses: request.blockClasses ?? 7 });
  const next = softmaxBatches();
  const mine = partOf(rank, size, batch);
  const own = (values: Float64Array, width: number): number[] => mine.flatMap((j) => Array.from(values.subarray(j * width, (j + 1) * width)));
  const losses: number[] = [];
  const gradients: number[] = [];
  let refusal: string | undefined;
  for (let step = 0; step < request.steps; step++) {
    const { hidden, targets, weights } = next();
    const values = own(hidden, features);
    const isSpoilt = request.spoil !== undefined && step === request.steps - 1;
    if (isSpoilt && rank === request.spoil) values[1] = Number.NaN;
    using matrix = createMatrixFrom(backend, mine.length, features, values);
    try {
      const result = await layer.step(matrix, rowsOfTargets(targets, mine), { learningRate, exampleWeights: own(weights, 1) });
      losses.push(...(await read(result.losses)));
      gradients.push(...(await read(result.hiddenGradient)));
    } catch (error) {
      if (!isSpoilt) throw error;
      refusal = error instanceof Error ? error.message : String(error);
    }
  }
  const { hidden, targets } = next();
  using matrix = createMatrixFrom(backend, mine.length, features, own(hidden, features));
  const evaluated = Array.from(await read(await layer.evaluate(matrix, rowsOfTargets(targets, mine))));
  return {
    losses, gradients, evaluated,
    ranks: await ownRanks(layer),
    classVectors: await vectorsOf(layer),
    state: await plainState(layer.state()),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Of the same examples on every rank. */
async function ownRanks(layer: VocabularyParallelSoftmax): Promise<number[]> {
  using hidden = createMatrixFrom(layer.backend, 3, features, Float64Array.from({ length: 3 * features }, (_, i) => Math.sin(i)));
  return Array.from(await ranksOf(layer, hidden, Int32Array.of(0, 17, classes - 1)));
}

async function vectorsOf(layer: VocabularyParallelSoftmax): Promise<number[]> {
  using vectors = layer.backend.createMatrix(classes, features);
  layer.classVectors(0, vectors);
  return Array.from(await read(vectors));
}
