import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { write } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, sphericalSoftmax } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';

const openBlas = await probeOpenBlasBackend();
const withoutOpenBlas = openBlas.available ? undefined : openBlas.reason;

describe('small steps in one direction', () => {
  // Hidden activations around a mean shrink U a little at each step: what the conditions of the steps multiply up to is
  // all that shows it.
  it.for([
    ['wasm', () => createWasmBackend(), undefined],
    ['openblas', () => createOpenBlasBackend(), withoutOpenBlas],
  ] as const)('rebase on %s', async ([name, create, missing], { skip }) => {
    if (missing !== undefined) {
      expect(process.env['REQUIRE_BACKENDS'] ?? '').not.toContain(`${name}-f32`);
      skip(missing);
    }
    const backend = await create();
    const [classes, features, examples] = [400, 24, 64];
    const layer = await createFactoredOutputLayer(backend, {
      classes,
      features,
      loss: sphericalSoftmax(),
      initialScale: 0.1,
      form: 'row',
    });
    const hidden = backend.createMatrix(examples, features);
    const random = new RandomGenerator(3);
    const mean = Array.from({ length: features }, () => 0.5 * random.normal());
    for (let step = 0; step < 600; step++) {
      write(
        Float64Array.from({ length: examples * features }, (_, i) =>
          Math.tanh(mean[i % features]! + 0.3 * random.normal()),
        ),
        hidden,
      );
      const targets = csrFromLists(
        Array.from({ length: examples }, () => [Math.floor(random.uniform() ** 3 * classes)]),
        classes,
      );
      await layer.step(hidden, targets, { learningRate: 5 });
    }
    const { gramDrift, inverseDrift, condition } = await layer.verify();
    expect(layer.counters.rebases).toBeGreaterThan(0);
    expect(condition).toBeLessThan(4);
    expect(gramDrift).toBeLessThan(2e-5);
    expect(inverseDrift).toBeLessThan(2e-5);
    await backend.dispose();
  });
});
