/**
 * The gradients of a kernel-sampled step, through the normalisation to length 1, by central differences with the draws
 * and their P held fixed.
 */
import { createMatrixFrom, createPlainBackend, read, type Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import {
  createQuadraticProposal,
  createRandomFourierProposal,
  createSampledSoftmaxLayer,
  type QueryProposal,
  type SampledLayer,
} from '@vastmax/softmax-losses';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';

const [classes, features, samples, examples] = [17, 4, 6, 3];

/** What the proposal draws at first, it draws for ever. */
function frozen(proposal: QueryProposal): QueryProposal {
  let first: { readonly classes: Int32Array; readonly logProbabilities: Float64Array } | undefined;
  return {
    kind: 'query',
    name: 'frozen',
    classes: proposal.classes,
    options: {},
    rebuild: (vectors) => proposal.rebuild(vectors),
    classesChanged: () => undefined,
    draw: (queries, count, each, random, classesOut, logProbabilitiesOut) => {
      if (first === undefined) {
        proposal.draw(queries, count, each, random, classesOut, logProbabilitiesOut);
        first = {
          classes: classesOut.slice(0, count * each),
          logProbabilities: logProbabilitiesOut.slice(0, count * each),
        };
      }
      classesOut.set(first.classes);
      logProbabilitiesOut.set(first.logProbabilities);
    },
  };
}

interface Case {
  readonly layer: SampledLayer;
  readonly backend: Backend;
  readonly hidden: Float64Array;
}

const targets = csrFromLists([[3], [3, 11], [16]], classes, [[1], [0.5, 2], [1]]);

async function createCase(kind: 'random-fourier' | 'quadratic', temperature?: number): Promise<Case> {
  const backend = createPlainBackend({ precision: 'f64' });
  const width = features + (temperature === undefined ? 1 : 0);
  const proposal =
    kind === 'quadratic'
      ? createQuadraticProposal(classes, width)
      : createRandomFourierProposal(classes, width, { frequencies: 32, nu: 2 });
  const layer = await createSampledSoftmaxLayer(backend, {
    classes,
    features,
    samples,
    initialScale: 0.4,
    proposal: frozen(proposal),
    ...(temperature === undefined ? {} : { temperature }),
  });
  const random = new RandomGenerator(8);
  return { layer, backend, hidden: Float64Array.from({ length: examples * features }, () => random.normal()) };
}

async function step(
  { layer, backend, hidden }: Case,
  learningRate = 0,
): Promise<{ readonly mean: number; readonly gradient: ArrayLike<number> }> {
  using placed = createMatrixFrom(backend, examples, features, hidden);
  const { losses, hiddenGradient } = await layer.step(placed, targets, { learningRate });
  const values = [...(await read(losses))];
  return { mean: values.reduce((sum, loss) => sum + loss, 0) / examples, gradient: await read(hiddenGradient) };
}

async function weightsOf(layer: SampledLayer): Promise<Float64Array> {
  const table = layer.state().tensors.find(({ name }) => name === 'classes');
  if (table === undefined) throw new Error('the layer has no classes');
  return Float64Array.from(await table.read(0, classes));
}

/** Its own state with other class weights. */
async function setWeights(layer: SampledLayer, weights: Float64Array): Promise<void> {
  const { configuration, tensors } = layer.state();
  const width = weights.length / classes;
  const state: ModuleState = {
    configuration,
    tensors: tensors.map((tensor) =>
      tensor.name === 'classes'
        ? { ...tensor, read: (first, count) => Promise.resolve(weights.slice(first * width, (first + count) * width)) }
        : tensor,
    ),
  };
  await layer.restore(state);
}

const cases = [
  ['random-fourier', 5],
  ['quadratic', 5],
  ['quadratic', undefined],
] as const;

describe.each(cases)('a step over a %s proposal, temperature %s', (kind, temperature) => {
  it('has the gradient with respect to hidden', async () => {
    const one = await createCase(kind, temperature);
    const { gradient } = await step(one);
    for (let i = 0; i < one.hidden.length; i++) {
      const moved = async (by: number): Promise<number> =>
        (await step({ ...one, hidden: one.hidden.map((value, j) => (i === j ? value + by : value)) })).mean;
      expect(gradient[i]).toBeCloseTo(((await moved(1e-5)) - (await moved(-1e-5))) / 2e-5, 8);
    }
    one.layer[Symbol.dispose]();
  });

  it('changes the class weights by the gradient with respect to them', async () => {
    const one = await createCase(kind, temperature);
    await step(one);
    const before = await weightsOf(one.layer);
    await step(one, 1);
    const after = await weightsOf(one.layer);
    let touched = 0;
    for (let i = 0; i < before.length; i++) {
      const moved = async (by: number): Promise<number> => {
        await setWeights(
          one.layer,
          before.map((value, j) => (i === j ? value + by : value)),
        );
        return (await step(one)).mean;
      };
      const expected = ((await moved(1e-5)) - (await moved(-1e-5))) / 2e-5;
      expect(before[i]! - after[i]!).toBeCloseTo(expected, 8);
      if (Math.abs(expected) > 1e-4) touched++;
    }
    expect(touched).toBeGreaterThan(5 * features);
    one.layer[Symbol.dispose]();
  });
});
