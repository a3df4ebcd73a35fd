/** The same cases as exactness.test.ts, on the backends that tools take: sums in another order, and small systems solved by others. */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import type { Backend, Precision } from '@vastmax/linalg-core';
import { exactnessMatrix, generationCases, judgeExactness, runExactness, singularCases } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';

const openBlas = await probeOpenBlasBackend();

describe.each<[name: string, precision: Precision, create: () => Promise<Backend>, missing: string | undefined]>([
  ['wasm', 'f32', () => createWasmBackend(), undefined],
  ['openblas', 'f32', () => createOpenBlasBackend(), openBlas.available ? undefined : openBlas.reason],
  ['openblas', 'f64', () => createOpenBlasBackend({ precision: 'f64' }), openBlas.available ? undefined : openBlas.reason],
])('exactness on %s %s, against dense f64 SGD', (name, precision, create, missing) => {
  const cases = [...exactnessMatrix(), ...generationCases(), ...singularCases()].filter(
    ({ form, options }) => options.precision === precision && form !== 'auto' && (options.targets === 'ragged' || options.targets === 3),
  );
  it.for(cases)('$id', async ({ options }, { skip }) => {
    if (missing !== undefined) {
      // A suite that must not be skipped names its backends; the conformance suite reads the same variable.
      expect(process.env['REQUIRE_BACKENDS'] ?? '').not.toContain(`${name}-${precision}`);
      skip(missing);
    }
    const backend = await create();
    const result = await runExactness({ ...options, backend });
    await backend.dispose();
    expect(judgeExactness(result, precision), JSON.stringify(result)).toMatchObject({ pass: true });
  });
});
