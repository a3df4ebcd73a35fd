/**
 * The same cases as exactness.test.ts, on the backends that tools take: sums in another order, and small systems solved
 * by others.
 */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { write, type Backend, type Precision } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, sphericalSoftmax } from '@vastmax/spherical-losses';
import {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  runExactness,
  singularCases,
} from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { denseRunOf } from './dense-run-of.ts';

const openBlas = await probeOpenBlasBackend();
const withoutOpenBlas = openBlas.available ? undefined : openBlas.reason;
const backends: readonly {
  readonly name: string;
  readonly precision: Precision;
  readonly create: () => Promise<Backend>;
  readonly missing: string | undefined;
}[] = [
  { name: 'wasm', precision: 'f32', create: () => createWasmBackend(), missing: undefined },
  { name: 'openblas', precision: 'f32', create: () => createOpenBlasBackend(), missing: withoutOpenBlas },
  {
    name: 'openblas',
    precision: 'f64',
    create: () => createOpenBlasBackend({ precision: 'f64' }),
    missing: withoutOpenBlas,
  },
];

describe('exactness against dense f64 SGD', () => {
  // Backends of a precision beside each other, so that they share the dense run.
  const cases = [...exactnessMatrix(), ...rebaseCases(), ...singularCases()]
    .filter(({ form, options: { targets } }) => form !== 'auto' && (targets === 'ragged' || targets === 3))
    .flatMap(({ id, options }) =>
      backends
        .filter(({ precision }) => precision === options.precision)
        .map((backend) => ({ ...backend, id, options })),
    );
  it.for(cases)('$id on $name', async ({ name, precision, create, missing, options }, { skip }) => {
    if (missing !== undefined) {
      // A suite that must not be skipped names its backends; the conformance suite reads the same variable.
      expect(process.env['REQUIRE_BACKENDS'] ?? '').not.toContain(`${name}-${precision}`);
      skip(missing);
    }
    const backend = await create();
    const result = await runExactness({ ...options, backend }, denseRunOf(options));
    await backend.dispose();
    expect(judgeExactness(result, precision), JSON.stringify(result)).toMatchObject({ pass: true });
  });
});

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
