/** The data of the suite: seeded minibatches with ragged, weighted, repeated and missing targets. */
import { createMatrixFrom, type Backend, type Matrix } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import type { LayerRequest } from './layer-under-test.ts';

export const request: LayerRequest = { classes: 29, features: 5, seed: 7 };
export const learningRate = 0.05;

export interface Minibatch {
  /** m×features. */
  readonly hidden: Float64Array;
  readonly targets: CsrRows;
}

export function createMinibatch(examples: number, seed: number, sizes: LayerRequest = request): Minibatch {
  const random = new RandomGenerator(seed);
  const hidden = Float64Array.from({ length: examples * sizes.features }, () => random.normal());
  const lists: number[][] = [];
  const weights: number[][] = [];
  for (let example = 0; example < examples; example++) {
    const list = Array.from({ length: random.integer(4) }, () => random.integer(sizes.classes));
    const first = list[0];
    if (list.length > 1 && first !== undefined && random.uniform() < 0.4) list.push(first);
    lists.push(list);
    weights.push(list.map(() => 0.25 + random.uniform()));
  }
  return { hidden, targets: csrFromLists(lists, sizes.classes, weights) };
}

/** Every example with exactly one target of weight 1, the ordinary case. */
export function createSingleTargets(examples: number, seed: number, sizes: LayerRequest = request): Minibatch {
  const { hidden } = createMinibatch(examples, seed, sizes);
  const random = new RandomGenerator(seed + 1);
  return {
    hidden,
    targets: csrFromLists(
      Array.from({ length: examples }, () => [random.integer(sizes.classes)]),
      sizes.classes,
    ),
  };
}

/** On the backend, m×features, however many rows the targets claim; the caller disposes it. */
export function placed(backend: Backend, { hidden }: Minibatch): Matrix {
  return createMatrixFrom(backend, hidden.length / request.features, request.features, hidden);
}
