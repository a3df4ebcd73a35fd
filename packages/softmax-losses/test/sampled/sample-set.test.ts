import { createLogUniformProposal, type FixedProposal } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { SampleSet } from '../../src/sampled/sample-set.ts';
import { listedProposal } from './scripted-proposals.ts';

const probabilities = [0.4, 0.3, 0.2, 0.06, 0.04];
const tries = 4;

/** Every sequence of `tries` draws, with its probability. */
function* sequences(): Generator<{ readonly list: readonly number[]; readonly probability: number }> {
  const classes = probabilities.length;
  for (let code = 0; code < classes ** tries; code++) {
    const list = Array.from({ length: tries }, (_, i) => Math.floor(code / classes ** i) % classes);
    yield { list, probability: list.reduce((product, drawn) => product * probabilities[drawn]!, 1) };
  }
}

function drawn(proposal: FixedProposal, unique: boolean, sharing: 'minibatch' | 'example'): SampleSet {
  const samples = new SampleSet();
  const random = new RandomGenerator(1);
  if (sharing === 'minibatch') samples.drawShared(proposal, tries, unique, random, 0);
  else samples.drawEach(proposal, 1, tries, unique, random, 0);
  return samples;
}

describe.each([
  ['minibatch', false],
  ['minibatch', true],
  ['example', false],
  ['example', true],
] as const)('samples shared by the %s, unique: %s, over all sequences of draws', (sharing, unique) => {
  it('have weights of expectation n·P and importance weights of expectation 1', () => {
    const weights = new Float64Array(probabilities.length);
    const importance = new Float64Array(probabilities.length);
    for (const { list, probability } of sequences()) {
      const samples = drawn(listedProposal(probabilities, list), unique, sharing);
      for (let i = 0; i < samples.columns; i++) {
        weights[samples.classes[i]!]! += probability * samples.weights[i]!;
        importance[samples.classes[i]!]! += probability * Math.exp(samples.corrections[i]!);
      }
    }
    for (let k = 0; k < probabilities.length; k++) {
      expect(weights[k]).toBeCloseTo(tries * probabilities[k]!, 12);
      expect(importance[k]).toBeCloseTo(1, 12);
    }
  });

  it('give an unbiased estimate of any sum over the classes', () => {
    const terms = [3, 0.1, 7, 20, 1];
    let expected = 0;
    for (const { list, probability } of sequences()) {
      const samples = drawn(listedProposal(probabilities, list), unique, sharing);
      for (let i = 0; i < samples.columns; i++)
        expected += probability * terms[samples.classes[i]!]! * Math.exp(samples.corrections[i]!);
    }
    expect(expected).toBeCloseTo(31.1, 11);
  });
});

describe.each([false, true])('a head, unique: %s, over all sequences of draws', (unique) => {
  const head = Int32Array.of(3, 1);

  it('is in every set with weight 1, and the others have importance weights of expectation 1', () => {
    const importance = new Float64Array(probabilities.length);
    for (const { list, probability } of sequences()) {
      const samples = new SampleSet();
      samples.drawShared(listedProposal(probabilities, list), tries, unique, new RandomGenerator(1), 0, head);
      expect(Array.from(samples.classes.subarray(0, 2))).toEqual([3, 1]);
      for (let i = 0; i < samples.columns; i++) {
        if (i < 2) expect([samples.weights[i], samples.corrections[i], samples.noise[i]]).toEqual([1, 0, 0]);
        importance[samples.classes[i]!]! += probability * Math.exp(samples.corrections[i]!);
      }
      expect(new Set(samples.classes.subarray(0, samples.columns)).size).toBe(samples.columns);
      expect(samples.columns).toBeLessThanOrEqual(samples.maxColumns);
    }
    for (let k = 0; k < probabilities.length; k++) expect(importance[k]).toBeCloseTo(1, 12);
  });
});

describe('expected counts', () => {
  it('of unique samples are the chance to be drawn at all, also where it is tiny', () => {
    const classes = 1_000_000;
    const proposal = createLogUniformProposal(classes);
    const samples = new SampleSet();
    samples.drawShared(proposal, 5000, true, new RandomGenerator(3), 0);
    for (let i = 0; i < samples.columns; i++) {
      const p = Math.exp(proposal.logProbability(samples.classes[i]!));
      // 1 − (1 − P)ⁿ by its series where it is small: the plain formula has lost its digits there.
      const n = 5000;
      const expected =
        n * p < 0.001 ? n * p - (n * (n - 1) * p * p) / 2 + (n * (n - 1) * (n - 2) * p ** 3) / 6 : 1 - (1 - p) ** n;
      expect(Math.abs(Math.exp(-samples.corrections[i]!) / expected - 1)).toBeLessThan(1e-8);
    }
    expect(samples.columns).toBeLessThan(5000);
    expect(new Set(samples.classes.subarray(0, samples.columns)).size).toBe(samples.columns);
  });

  it('of merged samples are n·P over how often a class came', () => {
    const samples = drawn(listedProposal(probabilities, [2, 0, 2, 2]), false, 'minibatch');
    expect(samples.columns).toBe(2);
    expect(Array.from(samples.classes.subarray(0, 2))).toEqual([2, 0]);
    expect(Math.exp(samples.corrections[0]!)).toBeCloseTo(3 / (4 * 0.2), 14);
    expect(Math.exp(samples.corrections[1]!)).toBeCloseTo(1 / (4 * 0.4), 14);
    expect(Math.exp(samples.noise[0]!)).toBeCloseTo(0.8, 14);
  });
});
