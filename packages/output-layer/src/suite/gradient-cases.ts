import type { LayerUnderTest, OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, learningRate, request, type Minibatch } from './minibatches.ts';
import { allScores, evaluateOn, expectClose, stepOn, toleranceOf, warmUp } from './observations.ts';

/**
 * ∂(mean loss)/∂hidden by central differences; the examples are independent, so one feature of all is changed at a
 * time.
 */
async function differences(
  losses: (batch: Minibatch) => Promise<Float64Array>,
  batch: Minibatch,
  step: number,
): Promise<Float64Array> {
  const { hidden, targets } = batch;
  const width = hidden.length / targets.rows;
  const gradient = new Float64Array(hidden.length);
  for (let feature = 0; feature < width; feature++) {
    const moved = (by: number): Float64Array => hidden.map((value, i) => (i % width === feature ? value + by : value));
    const above = await losses({ hidden: moved(step), targets });
    const below = await losses({ hidden: moved(-step), targets });
    for (let example = 0; example < targets.rows; example++) {
      gradient[example * width + feature] = (above[example]! - below[example]!) / (2 * step * targets.rows);
    }
  }
  return gradient;
}

async function checkGradient(subject: LayerUnderTest, examples: number, stepsBefore: number): Promise<void> {
  using layer = await subject.create(subject.backend(), request);
  await warmUp(layer, stepsBefore);
  const batch = createMinibatch(examples, 31 + examples);
  // A loss is rounded by ε, so its differences over ε^⅓ are wrong by ε^⅔, times what the loss is larger than they are.
  const [epsilon, tolerance] = layer.backend.precision === 'f64' ? [2 ** -52, 1e-7] : [2 ** -23, 5e-3];
  const expected = await differences((moved) => evaluateOn(layer, moved), batch, Math.cbrt(epsilon));
  const { hiddenGradient } = await stepOn(layer, batch, { learningRate: 0 });
  expectClose(hiddenGradient, expected, 'the hidden gradient against central differences', tolerance);
}

async function checkAgainstTwin(subject: LayerUnderTest): Promise<void> {
  const { reference } = subject;
  if (reference === undefined) throw new Error('this case needs a dense reference');
  using layer = await subject.create(subject.backend(), request);
  const start = Float64Array.from(await reference.readWeights(layer));
  const twin = reference.createTwin(start.slice(), request);
  const tolerance = toleranceOf(layer);
  for (let step = 0; step < 200; step++) {
    const batch = createMinibatch(1 + (step % 9), 1000 + step);
    const exampleWeights =
      step % 3 === 0 ? Float64Array.from({ length: batch.targets.rows }, (_, j) => 0.5 + 0.25 * j) : undefined;
    const options = {
      learningRate: learningRate / (1 + step / 50),
      ...(exampleWeights === undefined ? {} : { exampleWeights }),
    };
    const expected = twin.step(batch.hidden, batch.targets, options);
    const actual = await stepOn(layer, batch, options);
    expectClose(actual.losses, expected.losses, `the losses of step ${step}`, tolerance);
    expectClose(actual.hiddenGradient, expected.hiddenGradient, `the hidden gradient of step ${step}`, tolerance);
  }
  expectClose(await reference.readWeights(layer), twin.weights, 'the weights after 200 steps', tolerance);
}

export const gradientCases: readonly OutputLayerCase[] = [
  { id: 'gradient/finite-differences', run: (subject) => checkGradient(subject, 7, 0) },
  { id: 'gradient/finite-differences-after-training', run: (subject) => checkGradient(subject, 4, 12) },
  { id: 'gradient/finite-differences-of-one-example', run: (subject) => checkGradient(subject, 1, 3) },
  { id: 'gradient/equals-dense-sgd', run: checkAgainstTwin },
  {
    id: 'gradient/losses-are-those-before-the-step',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      for (let step = 0; step < 5; step++) {
        const batch = createMinibatch(6, 60 + step);
        const before = await evaluateOn(layer, batch);
        expectClose((await stepOn(layer, batch)).losses, before, 'the losses of a step', toleranceOf(layer));
      }
    },
  },
  {
    id: 'gradient/rate-0-changes-nothing',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const before = await allScores(layer);
      for (let step = 0; step < 5; step++)
        await stepOn(layer, createMinibatch(1 + 4 * step, 70 + step), { learningRate: 0 });
      expectClose(await allScores(layer), before, 'the scores', 0);
    },
  },
  {
    id: 'gradient/evaluate-changes-nothing',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const before = await allScores(layer);
      const batch = createMinibatch(6, 80);
      const once = await evaluateOn(layer, batch);
      expectClose(await evaluateOn(layer, batch), once, 'the losses of a second evaluation', 0);
      expectClose(await allScores(layer), before, 'the scores', 0);
    },
  },
  {
    id: 'gradient/training-lowers-the-loss',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      const batch = createMinibatch(8, 90);
      const mean = async (): Promise<number> => (await evaluateOn(layer, batch)).reduce((sum, loss) => sum + loss, 0);
      const before = await mean();
      for (let step = 0; step < 40; step++) await stepOn(layer, batch, { learningRate: learningRate / 5 });
      const after = await mean();
      if (!(after < before))
        throw new Error(`40 steps on one minibatch left its loss at ${after}, it began at ${before}`);
    },
  },
];
