/** The same cases as exactness.test.ts, on the backend that tools take by default: f32 sums in another order. */
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { exactnessMatrix, generationCases, judgeExactness, runExactness, singularCases } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';

const cases = [...exactnessMatrix(), ...generationCases(), ...singularCases()].filter(
  ({ form, options }) => options.precision === 'f32' && form !== 'auto' && (options.targets === 'ragged' || options.targets === 3),
);

describe('exactness on wasm f32, against dense f64 SGD', () => {
  it.each(cases)('$id', async ({ options }) => {
    const result = await runExactness({ ...options, backend: await createWasmBackend() });
    expect(judgeExactness(result, 'f32'), JSON.stringify(result)).toMatchObject({ pass: true });
  });
});
