/**
 * A step of each sampled loss against central differences of the naive loss, with the samples that it drew: losses,
 * hidden gradient and every weight.
 */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import {
  createLogUniformProposal,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createSampledSoftmaxLayer,
  createUnigramProposal,
  type FixedProposal,
  type SampledLayer,
} from '@vastmax/softmax-losses';
import { csrFromLists, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { createExampleNegatives } from '../../src/sampled/negative-logits.ts';
import { readWeights } from '../subjects.ts';
import { naiveLoss, type NaiveSampling } from './naive-sampled-loss.ts';

const classes = 23;
const features = 4;
const examples = 6;
const sampleSeed = 77;
const learningRate = 0.3;
const exampleWeights = [1, 0.5, 2, 1, 0, 1.5];

const random = new RandomGenerator(9);
const hidden = Float64Array.from({ length: examples * features }, () => random.normal());
/** Repeated, weightless, missing and many targets; frequent classes, so that there are accidental hits. */
const lists = [[0], [1, 0, 1], [], [2, 19], [3], [0, 1, 2, 5]];
const weights = [[1], [0.5, 2, 0.75], [], [1, 0], [1], [1, -0.25, 0.5, 2]];
const targets = csrFromLists(lists, classes, weights);
const merged = lists.map((list, example) => {
  const map = new Map<number, number>();
  list.forEach((target, i) => map.set(target, (map.get(target) ?? 0) + weights[example]![i]!));
  for (const [target, weight] of map) if (weight === 0) map.delete(target);
  return map;
});

interface Setting {
  readonly kind: NaiveSampling['kind'];
  readonly sharing: 'minibatch' | 'example';
  readonly unique?: boolean;
  readonly removeHits?: boolean;
  readonly temperature?: number;
  readonly samples?: number;
  readonly proposal?: FixedProposal;
  readonly head?: readonly number[];
}

const logUniform = createLogUniformProposal(classes);
const unigram = createUnigramProposal(
  Float64Array.from({ length: classes }, (_, k) => 100 - 4 * k),
  { power: 0.75 },
);
const settings: readonly Setting[] = [
  { kind: 'softmax', sharing: 'minibatch' },
  { kind: 'softmax', sharing: 'minibatch', unique: true, proposal: unigram, samples: 30 },
  { kind: 'softmax', sharing: 'minibatch', removeHits: false, samples: 3 },
  { kind: 'softmax', sharing: 'example' },
  { kind: 'softmax', sharing: 'example', unique: true, removeHits: false },
  { kind: 'softmax', sharing: 'minibatch', temperature: 2.5 },
  { kind: 'softmax', sharing: 'example', temperature: 2.5, unique: true },
  { kind: 'softmax with corrected targets', sharing: 'minibatch', unique: true },
  { kind: 'softmax', sharing: 'minibatch', head: [0, 1, 7] },
  { kind: 'softmax', sharing: 'minibatch', head: [5, 2, 0], unique: true, removeHits: false, samples: 30 },
  { kind: 'softmax', sharing: 'minibatch', head: [1, 19], temperature: 2.5, proposal: unigram },
  { kind: 'softmax with corrected targets', sharing: 'minibatch', head: [0, 4, 2] },
  { kind: 'nce', sharing: 'minibatch', proposal: unigram },
  { kind: 'nce', sharing: 'minibatch', unique: true, samples: 30 },
  { kind: 'nce', sharing: 'example', removeHits: false },
  { kind: 'negative', sharing: 'minibatch' },
  { kind: 'negative', sharing: 'example', unique: true, samples: 30 },
];

async function createLayer({
  kind,
  sharing,
  unique = false,
  removeHits = true,
  temperature,
  samples = 12,
  proposal = logUniform,
  head = [],
}: Setting): Promise<SampledLayer> {
  const options = {
    classes,
    features,
    initialScale: 0.6,
    seed: 5,
    sharing,
    unique,
    removeAccidentalHits: removeHits,
    samples,
    sampleSeed,
    ...(temperature === undefined
      ? { initialBiases: Float64Array.from({ length: classes }, (_, k) => 0.1 * k - 1) }
      : { temperature }),
  };
  const backend = createPlainBackend({ precision: 'f64' });
  if (kind === 'nce') return createNoiseContrastiveLayer(backend, { ...options, proposal, logNormalizer: 0.4 });
  if (kind === 'negative') return createNegativeSamplingLayer(backend, { ...options, proposal });
  return createSampledSoftmaxLayer(backend, { ...options, proposal, head, correctTargets: kind !== 'softmax' });
}

/** The losses of all examples from any weights and activations. */
function lossesOf(
  {
    kind,
    sharing,
    unique = false,
    removeHits = true,
    temperature,
    samples = 12,
    proposal = logUniform,
    head = [],
  }: Setting,
  rows: ArrayLike<number>,
  inputs: ArrayLike<number>,
): number[] {
  const generator = new RandomGenerator(sampleSeed);
  const draws = new Int32Array(samples * (sharing === 'example' ? examples : 1));
  proposal.draw(draws.length, generator, draws, 0);
  const width = rows.length / classes;
  return merged.map((targetsOfExample, example) => {
    const first = sharing === 'example' ? example * samples : 0;
    const query = Array.from({ length: width }, (_, i) => (i < features ? inputs[example * features + i]! : 1));
    const outputs = Array.from({ length: classes }, (_, k) => {
      const row = Array.from({ length: width }, (__, i) => rows[k * width + i]!);
      const dot = row.reduce((sum, value, i) => sum + value * query[i]!, 0);
      return temperature === undefined ? dot : (temperature * dot) / (Math.hypot(...row) * Math.hypot(...query));
    });
    return naiveLoss(outputs, targetsOfExample, {
      kind,
      drawn: Array.from(draws.subarray(first, first + samples)),
      probability: (target) => Math.exp(proposal.logProbability(target)),
      unique,
      removeHits,
      logNormalizer: 0.4,
      head,
    });
  });
}

function differences(values: Float64Array, reduced: (moved: Float64Array) => number): Float64Array {
  const step = Math.cbrt(Number.EPSILON);
  return values.map((_, i) => {
    const at = (by: number): number => reduced(values.map((value, j) => (i === j ? value + by : value)));
    return (at(step) - at(-step)) / (2 * step);
  });
}

function largestDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  expect(one.length).toBe(other.length);
  return Array.from(one).reduce((largest, value, i) => Math.max(largest, Math.abs(value - other[i]!)), 0);
}

describe.each(
  settings.map((setting) => [JSON.stringify({ ...setting, proposal: setting.proposal?.name }), setting] as const),
)('%s', (_, setting) => {
  it('has the losses and gradients of the naive loss with the same samples', async () => {
    using layer = await createLayer(setting);
    using input = createMatrixFrom(layer.backend, examples, features, hidden);
    const start = await readWeights(layer);
    const { losses, hiddenGradient } = await layer.step(input, targets, { learningRate, exampleWeights });
    const reduced = (rows: ArrayLike<number>, inputs: ArrayLike<number>): number =>
      lossesOf(setting, rows, inputs).reduce(
        (sum, loss, example) => sum + (loss * exampleWeights[example]!) / examples,
        0,
      );
    expect(largestDifference(await read(losses), lossesOf(setting, start, hidden))).toBeLessThan(1e-11);
    expect(
      largestDifference(
        await read(hiddenGradient),
        differences(hidden, (moved) => reduced(start, moved)),
      ),
    ).toBeLessThan(1e-8);
    const change = (await readWeights(layer)).map((value, i) => (start[i]! - value) / learningRate);
    expect(
      largestDifference(
        change,
        differences(start, (moved) => reduced(moved, hidden)),
      ),
    ).toBeLessThan(1e-8);
    const touched = new Set([
      ...layer.method.samples.classes.subarray(0, layer.method.samples.rows * layer.method.samples.columns),
      ...merged.flatMap((map) => [...map.keys()]),
    ]);
    const width = start.length / classes;
    for (let k = 0; k < classes; k++) {
      const isChanged = change.subarray(k * width, (k + 1) * width).some((value) => value !== 0);
      expect(isChanged && !touched.has(k), `class ${k} was changed without being touched`).toBe(false);
    }
  });
});

describe('samples of single examples', () => {
  it('do not depend on how many pairs are gathered at once', async () => {
    const results: (readonly number[])[] = [];
    for (const pairsPerBlock of [5, 2048]) {
      using layer = await createLayer({ kind: 'softmax', sharing: 'example' });
      using queries = createMatrixFrom(
        layer.backend,
        examples,
        features + 1,
        Float64Array.from({ length: examples * (features + 1) }, (_, i) => Math.sin(i)),
      );
      using input = createMatrixFrom(layer.backend, examples, features, hidden);
      await layer.step(input, targets, { learningRate: 0 });
      const { samples } = layer.method;
      const negatives = createExampleNegatives(layer.method.vectors, pairsPerBlock);
      const logits = Float64Array.from(await read(negatives.logits(samples, queries)));
      using gradient = createMatrixFrom(layer.backend, examples, samples.columns, logits);
      using queryGradient = layer.backend.createMatrix(examples, features + 1);
      negatives.queryGradient(samples, gradient, queryGradient);
      const rows = negatives.rowGradient(samples, queries, gradient).rows;
      results.push([...logits, ...(await read(queryGradient)), ...(await read(rows))]);
    }
    expect(largestDifference(results[0]!, results[1]!)).toBeLessThan(1e-12);
  });
});

/**
 * K. Khrylchenko et al. (arXiv:2507.09331) take the target out of the denominator, since it is in it with certainty, and
 * weight the example with 1 − p of the target: a constant, estimated from the same sample. The gradient is that of sampled
 * softmax with the target's own logit in the sum and the target masked among the negatives, which is the default.
 */
describe('the corrected logQ term of the target', () => {
  it.each([{ head: [] }, { head: [0, 1, 7] }])('is the gradient of the default: %s', async ({ head }) => {
    const setting: Setting = { kind: 'softmax', sharing: 'minibatch', samples: 30, head };
    using layer = await createLayer(setting);
    using input = createMatrixFrom(layer.backend, examples, features, hidden);
    const rows = await readWeights(layer);
    const list = Int32Array.from({ length: examples }, (_, example) => (5 * example) % classes);
    const { hiddenGradient } = await layer.step(input, singleTargets(list, classes), { learningRate });
    const draws = new Int32Array(30);
    logUniform.draw(30, new RandomGenerator(sampleSeed), draws, 0);

    const width = features + 1;
    const output = (inputs: ArrayLike<number>, example: number, k: number): number =>
      rows[k * width + features]! +
      [0, 1, 2, 3].reduce((sum, i) => sum + rows[k * width + i]! * inputs[example * features + i]!, 0);
    /** ln of the sum over the negatives. */
    const logNegatives = (inputs: ArrayLike<number>, example: number): number => {
      let sum = 0;
      for (const k of head) if (k !== list[example]) sum += Math.exp(output(inputs, example, k));
      for (const k of draws) {
        if (k === list[example] || head.includes(k)) continue;
        sum += Math.exp(output(inputs, example, k) - Math.log(30) - logUniform.logProbability(k));
      }
      return Math.log(sum);
    };
    const margin = (inputs: ArrayLike<number>, example: number): number =>
      logNegatives(inputs, example) - output(inputs, example, list[example]!);
    const weightOf = (example: number): number => 1 / (1 + Math.exp(-margin(hidden, example)));
    const expected = differences(hidden, (moved) => {
      let loss = 0;
      for (let example = 0; example < examples; example++) loss += weightOf(example) * margin(moved, example);
      return loss / examples;
    });
    expect(largestDifference(await read(hiddenGradient), expected)).toBeLessThan(1e-9);
  });
});
