/** What one rank must refuse of classes that are added, and of log-probabilities. */
import type { Communicator } from '@vastmax/collectives';
import { createMatrixFrom } from '@vastmax/linalg-core';
import { createAttempts, type Refusal } from './attempts.ts';
import {
  classes,
  constantsLoss,
  createSmallLayer,
  createTraining,
  rebasingLoss,
  readWeights,
  width,
} from './small-layer.ts';

export async function growthRefusals(communicator: Communicator): Promise<readonly Refusal[]> {
  using layer = await createSmallLayer(communicator, { loss: constantsLoss() });
  const train = createTraining(layer, 0.002);
  await train(5);
  const { found, attempt } = createAttempts(layer, train, readWeights);
  const rows = Float64Array.from({ length: 2 * width }, (_, i) => Math.sin(i));
  const spoiled = (value: number): Float64Array => rows.with(width + 1, value);
  const add = (values: Float64Array, constants: readonly number[]): Promise<void> =>
    Promise.resolve().then(() => {
      layer.addClasses(values, constants);
    });
  await attempt('nan', 1, (isBad) => add(isBad ? spoiled(Number.NaN) : rows, [1, 2]));
  await attempt('no rows', 2, (isBad) => add(isBad ? rows.subarray(1) : rows, [1, 2]));
  await attempt('no constants', 0, (isBad) => add(rows, isBad ? [] : [1, 2]));
  await attempt('fewer', 1, (isBad) => (isBad ? add(rows.subarray(width), [1]) : add(rows, [1, 2])));
  await attempt('other rows', 2, (isBad) => add(isBad ? spoiled(3) : rows, [1, 2]));
  await attempt('other constants', 1, (isBad) => add(rows, isBad ? [1, 3] : [1, 2]));
  await attempt('step', 1, async (isBad) => {
    if (!isBad) await add(rows, [1, 2]);
    else await train(1);
  });

  using hidden = createMatrixFrom(layer.backend, 2, width, rows);
  using column = layer.backend.createMatrix(2, 1);
  using wide = layer.backend.createMatrix(2, 4);
  const one = (wanted: readonly number[]): Promise<void> =>
    layer.classLogProbabilities(hidden, Int32Array.from(wanted), column);
  await attempt('class', 2, (isBad) => one(isBad ? [0, classes] : [0, 1]));
  await attempt('classes', 1, (isBad) => one(isBad ? [0] : [0, 1]));
  await attempt('column', 1, (isBad) =>
    layer.classLogProbabilities(hidden, Int32Array.of(0, 1), isBad ? wide : column),
  );
  await attempt('range', 0, (isBad) => layer.logProbabilities(hidden, isBad ? classes - 3 : 0, wide));
  await attempt('other range', 1, (isBad) => layer.logProbabilities(hidden, isBad ? 1 : 0, wide));

  using without = await createSmallLayer(communicator, { loss: rebasingLoss() });
  await attempt('no probabilities', 0, () => without.logProbabilities(hidden, 0, wide));
  return found;
}
