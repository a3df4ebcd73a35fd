import { csrFromLists } from '@vastmax/sparse-data';
import { expect } from 'vitest';
import type { LayerUnderTest, OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, learningRate, request, type Minibatch } from './minibatches.ts';
import { allScores, evaluateOn, expectClose, stepOn, toleranceOf, warmUp, type ObservedStep } from './observations.ts';
import type { StepOptions } from '../output-layer.ts';

const { classes } = request;

interface Course {
  readonly batch: Minibatch;
  readonly options?: Partial<StepOptions>;
}

interface Outcome extends ObservedStep {
  readonly scores: Float64Array;
  readonly tolerance: number;
}

/** One step of a fresh layer. */
async function outcomeOf(subject: LayerUnderTest, { batch, options = {} }: Course): Promise<Outcome> {
  using layer = await subject.create(subject.backend(), request);
  await warmUp(layer, 3);
  const observed = await stepOn(layer, batch, options);
  return { ...observed, scores: await allScores(layer), tolerance: toleranceOf(layer) };
}

async function expectSameOutcome(subject: LayerUnderTest, one: Course, other: Course): Promise<void> {
  const [actual, expected] = [await outcomeOf(subject, one), await outcomeOf(subject, other)];
  expectClose(actual.losses, expected.losses, 'the losses', expected.tolerance);
  expectClose(actual.hiddenGradient, expected.hiddenGradient, 'the hidden gradient', expected.tolerance);
  expectClose(actual.scores, expected.scores, 'the scores after the step', expected.tolerance);
}

function withTargets(lists: readonly (readonly number[])[], weights?: readonly (readonly number[])[]): Minibatch {
  return { hidden: createMinibatch(lists.length, 200).hidden, targets: csrFromLists(lists, classes, weights) };
}

export const minibatchCases: readonly OutputLayerCase[] = [
  {
    id: 'minibatch/empty',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const before = await allScores(layer);
      const batch = createMinibatch(0, 1);
      expect((await stepOn(layer, batch)).losses.length).toBe(0);
      expect((await evaluateOn(layer, batch)).length).toBe(0);
      expectClose(await allScores(layer), before, 'the scores', 0);
      await stepOn(layer, createMinibatch(3, 2));
    },
  },
  {
    id: 'minibatch/one-example-is-as-in-a-larger-one',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      const both = withTargets([[3, 5], [11]]);
      const alone: Minibatch = {
        hidden: both.hidden.slice(0, request.features),
        targets: csrFromLists([[3, 5]], classes),
      };
      const pair = await stepOn(layer, both, { learningRate: 0 });
      const one = await stepOn(layer, alone, { learningRate: 0 });
      expectClose(one.losses, pair.losses.slice(0, 1), 'the loss', toleranceOf(layer));
      const doubled = pair.hiddenGradient.slice(0, request.features).map((x) => 2 * x);
      expectClose(one.hiddenGradient, doubled, 'the gradient, of a mean over one', toleranceOf(layer));
      await stepOn(layer, alone);
    },
  },
  {
    id: 'minibatch/examples-without-targets',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      const some = withTargets([[], [4], []]);
      const all = withTargets([[6], [4], [8]]);
      const losses = await evaluateOn(layer, some);
      expectClose(
        losses.slice(1, 2),
        (await evaluateOn(layer, all)).slice(1, 2),
        'the loss of the example that has one',
        toleranceOf(layer),
      );
      expectClose((await stepOn(layer, some)).losses, losses, 'the losses of the step', toleranceOf(layer));
      await stepOn(layer, withTargets([[], []]));
      expectClose(await allScores(layer), await allScores(layer), 'the scores are numbers', 0);
    },
  },
  {
    id: 'minibatch/repeated-targets-are-merged',
    run: (subject) =>
      expectSameOutcome(
        subject,
        { batch: withTargets([[3, 9, 3], [9, 9, 9], [7]], [[0.5, 2, 0.75], [0.25, 1, 0.5], [1]]) },
        { batch: withTargets([[3, 9], [9], [7]], [[1.25, 2], [1.75], [1]]) },
      ),
  },
  {
    id: 'minibatch/a-target-of-weight-0-counts-nothing',
    run: (subject) =>
      expectSameOutcome(
        subject,
        { batch: withTargets([[3, 9], [12], [7]], [[1, 0], [0], [1]]) },
        { batch: withTargets([[3], [], [7]]) },
      ),
  },
  {
    id: 'minibatch/the-order-of-examples-does-not-matter',
    run: async (subject) => {
      const { features } = request;
      const forward = withTargets([[3, 9], [12]]);
      const backward: Minibatch = {
        hidden: Float64Array.from([...forward.hidden.subarray(features), ...forward.hidden.subarray(0, features)]),
        targets: csrFromLists([[12], [3, 9]], classes),
      };
      const [one, other] = [
        await outcomeOf(subject, { batch: forward }),
        await outcomeOf(subject, { batch: backward }),
      ];
      expectClose(one.losses, other.losses.slice().reverse(), 'the losses', one.tolerance);
      expectClose(one.scores, other.scores, 'the scores after the step', one.tolerance);
    },
  },
  {
    id: 'minibatch/example-weights-scale-the-gradient',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      const batch = createMinibatch(5, 210);
      const exampleWeights = [1, 0, 2.5, 0.5, 3];
      const plain = await stepOn(layer, batch, { learningRate: 0 });
      const weighted = await stepOn(layer, batch, { learningRate: 0, exampleWeights });
      expectClose(weighted.losses, plain.losses, 'the losses, which are without the weights', toleranceOf(layer));
      const scaled = plain.hiddenGradient.map((x, i) => x * exampleWeights[Math.floor(i / request.features)]!);
      expectClose(weighted.hiddenGradient, scaled, 'the hidden gradient', toleranceOf(layer));
    },
  },
  {
    id: 'minibatch/example-weights-scale-the-update',
    run: async (subject) => {
      const batch = createMinibatch(5, 211);
      const [weighted, faster] = [
        await outcomeOf(subject, { batch, options: { exampleWeights: [2, 2, 2, 2, 2] } }),
        await outcomeOf(subject, { batch, options: { learningRate: 2 * learningRate } }),
      ];
      expectClose(
        weighted.scores,
        faster.scores,
        'the scores after twice the weights and after twice the rate',
        faster.tolerance,
      );
    },
  },
];
