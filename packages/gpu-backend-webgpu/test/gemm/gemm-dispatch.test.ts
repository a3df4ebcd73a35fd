import type { GemmSettings } from '@vastmax/linalg-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planGemm } from '../../src/gemm/gemm-dispatch.ts';

const limits = { maxComputeWorkgroupsPerDimension: 65_535 };
const plain: GemmSettings = { transposeA: false, transposeB: false, alpha: 1, beta: 0 };

const dimension = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3000 }));
const settings = fc.record({
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  alpha: fc.constantFrom(1, -0.5),
  beta: fc.constantFrom(0, 1, 0.25),
});

interface Told {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
  readonly depthPerSplit: number;
  readonly splits: number;
}

function toldTo({ uniforms }: { readonly uniforms: ArrayBuffer }): Told {
  const [m = 0, n = 0, k = 0, groups = 0, depthPerSplit = 0, splits = 0] = new Uint32Array(uniforms, 0, 6);
  return { m, n, k, groups, depthPerSplit, splits };
}

describe('planGemm', () => {
  it('has nothing to do for a product without elements', () => {
    for (const [m, n, k] of [
      [0, 5, 3],
      [5, 0, 3],
      [0, 0, 0],
      [0, 4, 0],
    ] as const)
      expect(planGemm(m, n, k, plain, limits)).toEqual([]);
  });

  it('looks at out alone where there is nothing to add up', () => {
    for (const plan of [planGemm(4, 5, 0, plain, limits), planGemm(4, 5, 3, { ...plain, alpha: 0 }, limits)]) {
      expect(plan.map(({ entryPoint, bindings }) => [entryPoint, bindings])).toEqual([['scaleOut', ['out']]]);
    }
  });

  it('takes one dispatch for the products of a training step', () => {
    for (const [m, n, k] of [
      [128, 300, 300],
      [300, 300, 128],
      [32, 300, 300],
      [128, 128, 300],
      [1, 300, 128],
      [128, 1, 300],
      [300, 300, 1],
    ] as const) {
      expect(planGemm(m, n, k, plain, limits), `${m}×${n}×${k}`).toHaveLength(1);
    }
  });

  it('shares long sums of few elements among workgroups, and adds their parts in a second dispatch', () => {
    for (const [m, n, k] of [
      [3, 5, 4000],
      [1, 1, 100_000],
      [64, 64, 3001],
      [1, 40, 5000],
    ] as const) {
      const plan = planGemm(m, n, k, plain, limits);
      expect(plan.map(({ bindings }) => bindings)).toEqual([
        ['a', 'b', 'scratch0'],
        ['scratch0', 'out'],
      ]);
      const splits = plan[0]?.workgroups[2] ?? 0;
      expect(splits).toBeGreaterThan(1);
      expect(plan.map(({ scratchBytes }) => scratchBytes)).toEqual([[4 * splits * m * n], [4 * splits * m * n]]);
    }
  });

  it('covers every element and every term, within the limits', () => {
    fc.assert(
      fc.property(
        dimension,
        dimension,
        dimension,
        settings,
        fc.integer({ min: 64, max: 300 }),
        (m, n, k, chosen, most) => {
          const plan = planGemm(m, n, k, chosen, { maxComputeWorkgroupsPerDimension: most });
          for (const dispatch of plan) {
            const { groups, splits, ...shape } = toldTo(dispatch);
            const [x, y, z] = dispatch.workgroups;
            expect(shape).toMatchObject({ m, n, k });
            expect(Math.max(x, y, z)).toBeLessThanOrEqual(most);
            expect(x * y).toBeGreaterThanOrEqual(groups);
            expect([1, splits]).toContain(z);
          }
          const { depthPerSplit, splits } = toldTo(plan[0] ?? { uniforms: new ArrayBuffer(32) });
          expect(depthPerSplit * splits).toBeGreaterThanOrEqual(k);
          expect(depthPerSplit * (splits - 1)).toBeLessThan(k);
          if (splits > 1) expect(depthPerSplit % 16).toBe(0);
        },
      ),
    );
  });

  it('hands over the same text for the same kernel', () => {
    const [first] = planGemm(100, 60, 40, plain, limits);
    const [second] = planGemm(48, 32, 16, { ...plain, alpha: 3, beta: 2 }, limits);
    const [other] = planGemm(100, 60, 40, { ...plain, transposeB: true }, limits);
    expect(second?.code).toBe(first?.code);
    expect(other?.code).not.toBe(first?.code);
  });

  it('reads four elements at once only of lines whose length allows it', () => {
    const typesOf = (m: number, n: number, k: number, how: Partial<GemmSettings>): readonly (string | undefined)[] => {
      const code = planGemm(m, n, k, { ...plain, ...how }, limits)[0]?.code ?? '';
      return ['a', 'b', 'result'].map((name) => new RegExp(`> ${name}: array<(\\w+)>`).exec(code)?.[1]);
    };
    expect(typesOf(33, 36, 40, {})).toEqual(['vec4f', 'vec4f', 'vec4f']);
    expect(typesOf(33, 36, 40, { transposeA: true })).toEqual(['f32', 'vec4f', 'vec4f']);
    expect(typesOf(36, 33, 40, { transposeA: true, transposeB: true })).toEqual(['vec4f', 'vec4f', 'f32']);
    expect(typesOf(36, 36, 41, {})).toEqual(['f32', 'vec4f', 'vec4f']);
  });
});
