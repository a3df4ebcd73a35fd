/**
 * exp(loss + o_target) is the estimate of the partition function: its mean over many seeded draws against the exact
 * one; and the same for gradients.
 */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import {
  createFullSoftmaxLayer,
  createLogUniformProposal,
  createSampledSoftmaxLayer,
  createStratifiedUnigram,
  createUniformProposal,
  createUnigramProposal,
  type Proposal,
  type SampledLayer,
  type SampledSoftmaxOptions,
} from '@vastmax/softmax-losses';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { recordingProposal } from './scripted-proposals.ts';

const classes = 40;
const features = 3;
const samples = 8;

async function createLayer(proposal: Proposal, options: Partial<SampledSoftmaxOptions>): Promise<SampledLayer> {
  return await createSampledSoftmaxLayer(createPlainBackend({ precision: 'f64' }), {
    classes,
    features,
    initialScale: 0.5,
    seed: 4,
    samples,
    proposal,
    ...options,
  });
}

interface Estimates {
  /** Mean of the estimates less the exact partition function, in standard errors. */
  readonly deviate: number;
  /** Standard error over the exact value: how sharp the test is. */
  readonly sharpness: number;
}

async function estimates(proposal: Proposal, options: Partial<SampledSoftmaxOptions>): Promise<Estimates> {
  using layer = await createLayer(proposal, options);
  const { backend } = layer;
  const random = new RandomGenerator(8);
  const query = Float64Array.from({ length: features }, () => random.normal());
  const perStep = options.sharing === 'example' || proposal.kind === 'query' ? 40 : 1;
  using hidden = createMatrixFrom(
    backend,
    perStep,
    features,
    Float64Array.from({ length: perStep * features }, (_, i) => query[i % features]!),
  );
  using scores = backend.createMatrix(perStep, classes);
  layer.scores(hidden, 0, scores);
  const outputs = Array.from((await read(scores)).subarray(0, classes));
  const exact = outputs.reduce((sum, output) => sum + Math.exp(output), 0);
  // The likeliest class: what becomes of it as a sample is what decides.
  const target = outputs.indexOf(Math.max(...outputs));
  const targets = singleTargets(new Int32Array(perStep).fill(target), classes);
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (let step = 0; step < 8000 / perStep; step++) {
    for (const loss of await read((await layer.step(hidden, targets, { learningRate: 0 })).losses)) {
      const estimate = Math.exp(loss + outputs[target]!);
      count++;
      const difference = estimate - mean;
      mean += difference / count;
      squares += difference * (estimate - mean);
    }
  }
  const error = Math.sqrt(squares / (count - 1) / count);
  return { deviate: (mean - exact) / error, sharpness: error / exact };
}

const counts = Float64Array.from({ length: classes }, (_, k) => 1000 / (k + 1));
const unigram = createUnigramProposal(counts);

describe('the estimate of the partition function', () => {
  it.each<[string, Proposal, Partial<SampledSoftmaxOptions>]>([
    ['uniform, shared', createUniformProposal(classes), {}],
    ['log-uniform, shared', createLogUniformProposal(classes), {}],
    ['log-uniform, shared, unique', createLogUniformProposal(classes), { unique: true }],
    ['unigram, shared, unique', unigram, { unique: true }],
    ['unigram, for each example', unigram, { sharing: 'example' }],
    ['unigram, for each example, unique', unigram, { sharing: 'example', unique: true }],
    ['log-uniform, shared, with a head', createLogUniformProposal(classes), { head: [0, 1, 5, 39] }],
    ['query proposal', recordingProposal(classes, features + 1), {}],
    ['query proposal on cosines, unique', recordingProposal(classes, features), { temperature: 2, unique: true }],
  ])('is unbiased: %s', async (_, proposal, options) => {
    const { deviate, sharpness } = await estimates(proposal, options);
    expect(Math.abs(deviate)).toBeLessThan(4);
    expect(sharpness).toBeLessThan(0.02);
  });

  it('is too large by the term of the target when hits are kept', async () => {
    const { deviate } = await estimates(createUniformProposal(classes), { removeAccidentalHits: false });
    expect(deviate).toBeGreaterThan(4);
  });
});

/**
 * The gradient itself is a quotient, and biased. Its numerator is not: Ẑ·(∂loss/∂h + w_t) is an estimate of
 * Σ exp(o_i)·w_i, the dense gradient times the exact partition function.
 */
describe('the gradient of the hidden vector', () => {
  it.each<[string, Partial<SampledSoftmaxOptions>]>([
    ['log-uniform', { proposal: createLogUniformProposal(classes) }],
    ['log-uniform, with a head', { proposal: createLogUniformProposal(classes), head: [0, 1, 5, 39] }],
    ['stratified', createStratifiedUnigram(counts, { head: 6 })],
  ])('has a numerator of the dense expectation: %s', async (_, { proposal = unigram, ...options }) => {
    using layer = await createLayer(proposal, options);
    const { backend } = layer;
    const query = [0.9, -0.4, 1.3];
    using hidden = createMatrixFrom(backend, 1, features, query);
    using scores = backend.createMatrix(1, classes);
    using vectors = backend.createMatrix(classes, features);
    layer.scores(hidden, 0, scores);
    layer.classVectors(0, vectors);
    const outputs = Array.from(await read(scores));
    const rows = await read(vectors);
    const target = outputs.indexOf(Math.max(...outputs));
    const targets = singleTargets(Int32Array.of(target), classes);
    const steps = 6000;
    const sums = new Float64Array(features);
    const squares = new Float64Array(features);
    for (let step = 0; step < steps; step++) {
      const { losses, hiddenGradient } = await layer.step(hidden, targets, { learningRate: 0 });
      const [loss = 0] = await read(losses);
      const gradient = await read(hiddenGradient);
      for (let i = 0; i < features; i++) {
        const value = Math.exp(loss + outputs[target]!) * (gradient[i]! + rows[target * features + i]!);
        sums[i]! += value / steps;
        squares[i]! += value ** 2 / steps;
      }
    }
    const partition = outputs.reduce((sum, output) => sum + Math.exp(output), 0);
    for (let i = 0; i < features; i++) {
      const exact = outputs.reduce((sum, output, k) => sum + Math.exp(output) * rows[k * features + i]!, 0);
      const error = Math.sqrt((squares[i]! - sums[i]! ** 2) / steps);
      expect(Math.abs(sums[i]! - exact)).toBeLessThan(4 * error);
      expect(error).toBeLessThan(0.02 * partition);
    }
  });

  it('comes close to the dense one, and closer with a head beside as many draws', async () => {
    const biasOf = async (options: Partial<SampledSoftmaxOptions>): Promise<number> => {
      using layer = await createLayer(unigram, options);
      const { backend } = layer;
      using hidden = createMatrixFrom(backend, 1, features, [0.9, -0.4, 1.3]);
      const targets = singleTargets(Int32Array.of(30), classes);
      const mean = new Float64Array(features);
      const steps = 4000;
      for (let step = 0; step < steps; step++) {
        const { hiddenGradient } = await layer.step(hidden, targets, { learningRate: 0 });
        for (const [i, value] of (await read(hiddenGradient)).entries()) mean[i]! += value / steps;
      }
      using dense = await createFullSoftmaxLayer(backend, { classes, features });
      await dense.restore({
        configuration: dense.state().configuration,
        tensors: layer.state().tensors.filter(({ name }) => name === 'classes'),
      });
      const exact = await read((await dense.step(hidden, targets, { learningRate: 0 })).hiddenGradient);
      return Math.hypot(...mean.map((value, i) => value - exact[i]!)) / Math.hypot(...exact);
    };
    const plain = await biasOf({ samples: 12 });
    const stratified = await biasOf({ samples: 12, ...createStratifiedUnigram(counts, { head: 20 }) });
    expect(plain).toBeLessThan(0.2);
    expect(stratified).toBeLessThan(0.5 * plain);
  });
});
