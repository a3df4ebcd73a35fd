/**
 * exp(loss + o_target) is the estimate of the partition function: its mean over many seeded draws against the exact
 * one.
 */
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import {
  createLogUniformProposal,
  createSampledSoftmaxLayer,
  createUniformProposal,
  createUnigramProposal,
  type Proposal,
  type SampledSoftmaxOptions,
} from '@vastmax/softmax-losses';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { recordingProposal } from './scripted-proposals.ts';

const classes = 40;
const features = 3;
const samples = 8;

interface Estimates {
  /** Mean of the estimates less the exact partition function, in standard errors. */
  readonly deviate: number;
  /** Standard error over the exact value: how sharp the test is. */
  readonly sharpness: number;
}

async function estimates(proposal: Proposal, options: Partial<SampledSoftmaxOptions>): Promise<Estimates> {
  const backend = createPlainBackend({ precision: 'f64' });
  using layer = await createSampledSoftmaxLayer(backend, {
    classes,
    features,
    initialScale: 0.5,
    seed: 4,
    samples,
    proposal,
    ...options,
  });
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

const unigram = createUnigramProposal(Float64Array.from({ length: classes }, (_, k) => 1000 / (k + 1)));

describe('the estimate of the partition function', () => {
  it.each<[string, Proposal, Partial<SampledSoftmaxOptions>]>([
    ['uniform, shared', createUniformProposal(classes), {}],
    ['log-uniform, shared', createLogUniformProposal(classes), {}],
    ['log-uniform, shared, unique', createLogUniformProposal(classes), { unique: true }],
    ['unigram, shared, unique', unigram, { unique: true }],
    ['unigram, for each example', unigram, { sharing: 'example' }],
    ['unigram, for each example, unique', unigram, { sharing: 'example', unique: true }],
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
