import { createPlainBackend, read } from '@vastmax/linalg-core';
import { createNetwork } from '@vastmax/lm-models';
import { evaluateLabels, LabelCounter } from '@vastmax/lm-models/metrics';
import { csrFromLists, RandomGenerator, SparseBatches } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';

const labels = 12;
const random = new RandomGenerator(6);
const draw = (count: number): number[] => [...new Set(Array.from({ length: count }, () => random.integer(labels)))];
const inputs = Array.from({ length: 41 }, () => draw(5));
// Every tenth example has no label, label 11 is never right.
const right = inputs.map((_, i) => (i % 10 === 9 ? [] : draw(3).filter((label) => label !== 11)));

describe('evaluateLabels', () => {
  it.each([
    { k: 1, threshold: undefined },
    { k: 3, threshold: 0.1 },
    { k: 99, threshold: 0.2 },
  ])('counts as sorting all labels does: %j', async ({ k, threshold }) => {
    using network = await createNetwork(
      createPlainBackend({ precision: 'f64' }),
      { inputs: labels, frequencies: new Float64Array(labels).fill(1) },
      { body: { kind: 'bag', embedding: 4, embeddingScale: 1 }, output: { kind: 'full', initialScale: 1, seed: 3 } },
    );
    using all = network.backend.createMatrix(inputs.length, labels);
    network.output.scores(network.computeHidden({ inputs: csrFromLists(inputs, labels) }), 0, all);
    const scores = await read(all);
    const predicted = inputs.map((_, example) => {
      const own = [...scores.subarray(example * labels, (example + 1) * labels)];
      const sum = own.reduce((total, score) => total + Math.exp(score), 0);
      return own
        .map((score, label) => ({ label, p: Math.exp(score) / sum }))
        .sort((a, b) => b.p - a.p)
        .slice(0, k)
        .filter(({ p }) => p >= (threshold ?? 0))
        .map(({ label }) => label);
    });
    const report = await evaluateLabels(
      network,
      new SparseBatches({
        inputs: csrFromLists(inputs, labels),
        targets: csrFromLists(right, labels),
        batchSize: 7,
        shuffle: false,
      }),
      { k, ...(threshold === undefined ? {} : { threshold }) },
    );
    const labelled = right.map((own, example) => ({ own, example })).filter(({ own }) => own.length > 0);
    const counts = (label?: number): { predicted: number; right: number; hits: number } => {
      const isIn = (each: number): boolean => label === undefined || each === label;
      let [p, r, hits] = [0, 0, 0];
      for (const { own, example } of labelled) {
        p += predicted[example]!.filter(isIn).length;
        r += own.filter(isIn).length;
        hits += predicted[example]!.filter((each) => isIn(each) && own.includes(each)).length;
      }
      return { predicted: p, right: r, hits };
    };
    expect(report).toMatchObject({ examples: labelled.length, unlabelled: 4, ...counts() });
    const { predicted: p, right: r, hits } = counts();
    expect(report.precision).toBeCloseTo(hits / p, 14);
    expect(report.recall).toBeCloseTo(hits / r, 14);
    expect(report.f1).toBeCloseTo(2 / (p / hits + r / hits), 12);
    const expected = Array.from({ length: labels }, (_, label) => ({ class: label, ...counts(label) }))
      .filter((each) => each.predicted + each.right > 0)
      .sort((a, b) => b.right - a.right || a.class - b.class);
    expect(
      report.classes.map(({ class: label, predicted: a, right: b, hits: c }) => ({
        class: label,
        predicted: a,
        right: b,
        hits: c,
      })),
    ).toEqual(expected);
  });

  it('has no precision of what is never predicted, no recall of what is never right', () => {
    const counter = new LabelCounter(4);
    counter.add([1], [2]);
    counter.add([0, 2], [2, 0]);
    expect(counter.report()).toEqual({
      examples: 2,
      unlabelled: 0,
      ...{ precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, predicted: 3, right: 3, hits: 2 },
      classes: [
        { class: 2, precision: 1, recall: 0.5, f1: 2 / 3, predicted: 1, right: 2, hits: 1 },
        { class: 0, precision: 1, recall: 1, f1: 1, predicted: 1, right: 1, hits: 1 },
        { class: 1, precision: 0, recall: undefined, f1: 0, predicted: 1, right: 0, hits: 0 },
      ],
    });
    expect(new LabelCounter(2).report()).toMatchObject({ precision: undefined, recall: undefined, f1: undefined });
  });
});
