/** What one rank must refuse of steps, evaluations and rankings. */
import type { Communicator } from '@vastmax/collectives';
import { createMatrixFrom } from '@vastmax/linalg-core';
import { csrFromLists, type CsrRows } from '@vastmax/sparse-data';
import { defineSphericalLoss, squaredError } from '@vastmax/spherical-losses';
import { createAttempts, type Refusal } from './attempts.ts';
import { classes, createSmallLayer, createTraining, readWeights, width } from './small-layer.ts';

export async function refusals(communicator: Communicator): Promise<readonly Refusal[]> {
  let mustThrow = false;
  const { perTarget, perExample, ...rest } = squaredError();
  const loss = defineSphericalLoss({
    name: rest.name,
    perTarget: (terms) => {
      if (mustThrow) throw new RangeError('the loss ran into a bug');
      return perTarget(terms);
    },
    ...(perExample === undefined ? {} : { perExample }),
  });
  using layer = await createSmallLayer(communicator, { loss });
  const train = createTraining(layer);
  await train(5);
  const { found, attempt } = createAttempts(layer, train, readWeights);
  const step = async (values: number, targets: CsrRows, rate = 0.01): Promise<unknown> => {
    using hidden = createMatrixFrom(
      layer.backend,
      targets.rows,
      width,
      new Float64Array(targets.rows * width).fill(values),
    );
    return await layer.step(hidden, targets, { learningRate: rate });
  };
  const good = csrFromLists([[1], [2, 5]], classes);
  const outOfRange: CsrRows = { ...good, indices: Int32Array.of(1, 2, classes) };

  await attempt('nan', 1, (isBad) => step(isBad ? Number.NaN : 0.1, good));
  await attempt('overflow', 2, (isBad) => step(isBad ? 1e200 : 0.1, good));
  await attempt('class', 2, (isBad) => step(0.1, isBad ? outOfRange : good));
  await attempt('rate', 0, (isBad) => step(0.1, good, isBad ? -1 : 0.01));
  await attempt('rates differ', 1, (isBad) => step(0.1, good, isBad ? 0.02 : 0.01));
  await attempt('bug', 1, async (isBad) => {
    mustThrow = isBad;
    await step(0.1, good).finally(() => (mustThrow = false));
  });
  await attempt('evaluate', 1, async (isBad) => {
    using hidden = createMatrixFrom(layer.backend, 2, width, new Float64Array(2 * width));
    await layer.evaluate(hidden, isBad ? outOfRange : good);
  });
  await attempt('other call', 2, async (isBad) => {
    using hidden = createMatrixFrom(layer.backend, 2, width, new Float64Array(2 * width));
    if (isBad) await layer.evaluate(hidden, good);
    else await layer.step(hidden, good, { learningRate: 0.01 });
  });
  await attempt('topK', 0, async (isBad) => {
    using hidden = layer.backend.createMatrix(1, width);
    await layer.topK(hidden, isBad ? 0 : 3);
  });
  return found;
}
