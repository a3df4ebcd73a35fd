import { createMatrixFrom } from '@vastmax/linalg-core';
import type { HybridOutputLayer } from '@vastmax/hybrid-layer';
import { singleTargets } from '@vastmax/sparse-data';
import { expect } from 'vitest';

/**
 * Steps of as many examples as each list has targets create no handle when those of `warmUps` have been taken.
 * @param warmUps with the most tail examples that there can be, and with none.
 */
export async function expectNoNewHandles(
  layer: HybridOutputLayer,
  warmUps: readonly (readonly number[])[],
  minibatches: readonly (readonly number[])[],
): Promise<void> {
  const { backend, classes, features } = layer;
  const examples = warmUps[0]!.length;
  const values = Array.from({ length: examples * features }, (_, i) => Math.sin(i));
  using hidden = createMatrixFrom(backend, examples, features, values);
  const stepOf = (targets: readonly number[]): Promise<unknown> =>
    layer.step(hidden, singleTargets(Int32Array.from(targets), classes), { learningRate: 0.1 });
  for (const targets of warmUps) await stepOf(targets);
  const before = backend.memory();
  for (const targets of minibatches) await stepOf(targets);
  expect(backend.memory()).toEqual(before);
}
