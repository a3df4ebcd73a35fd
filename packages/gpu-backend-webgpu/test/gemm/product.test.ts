import { describe, expect, it } from 'vitest';
import { planGemm } from '../../src/gemm/gemm-dispatch.ts';
import { packParameters } from '../../src/gemm/product-parameters.ts';
import { tiledProduct, tiledProductEntry } from '../../src/gemm/tiled-product.ts';
import { errorOfProduct, transposes, type PlanOf, type Size } from './check-product.ts';
import { runPlan } from '../../src/testing/run-plan.ts';
import { testedDevice } from './tested-device.ts';

const limits = { maxComputeWorkgroupsPerDimension: 65_535 };
const planned: PlanOf = (m, n, k, settings) => planGemm(m, n, k, settings, limits);

/** Tiles of 64×64, which planGemm leaves to products too large for a test. */
const largeTiles: PlanOf = (m, n, k, { transposeA, transposeB, alpha, beta }) => {
  const code = tiledProduct({
    blocksDown: 2,
    blocksAcross: 2,
    depth: 16,
    transposeA,
    transposeB,
    vectorA: (transposeA ? m : k) % 4 === 0,
    vectorB: (transposeB ? k : n) % 4 === 0,
    vectorOut: n % 4 === 0,
    isSplit: false,
  });
  const groups = Math.ceil(m / 64) * Math.ceil(n / 64);
  const uniforms = packParameters({ m, n, k, groups, depthPerSplit: k, splits: 1, alpha, beta });
  return [{ code, entryPoint: tiledProductEntry, workgroups: [groups, 1, 1], uniforms, bindings: ['a', 'b', 'out'] }];
};

const plain = { transposeA: false, transposeB: false, alpha: 1, beta: 0 };
const factors = [
  [1, 0],
  [-0.5, -0.75],
] as const;

describe('the product on a device', () => {
  for (const how of transposes) {
    const name = `a${how.transposeA ? 'ᵀ' : ''}·b${how.transposeB ? 'ᵀ' : ''}`;

    const check = async (device: GPUDevice, planOf: PlanOf, sizes: readonly Size[]): Promise<void> => {
      for (const size of sizes) {
        for (const [alpha, beta] of factors) {
          expect(
            await errorOfProduct(device, planOf, size, { ...how, alpha, beta }),
            `${size.join('×')} alpha ${alpha} beta ${beta}`,
          ).toBeLessThanOrEqual(1);
        }
      }
    };

    it(`${name} is right at the edges of small tiles`, async ({ skip }) => {
      await check(testedDevice(skip), planned, [
        [5, 7, 11],
        [33, 31, 65],
        [36, 40, 44],
        [257, 3, 1],
      ]);
    });

    it(`${name} is right at the edges of large tiles`, async ({ skip }) => {
      await check(testedDevice(skip), largeTiles, [
        [65, 67, 17],
        [68, 132, 20],
      ]);
    });

    it(`${name} is right for one row, one column and both`, async ({ skip }) => {
      await check(testedDevice(skip), planned, [
        [1, 65, 33],
        [65, 1, 33],
        [1, 300, 36],
        [300, 1, 36],
        [1, 1, 257],
        [9, 1, 260],
      ]);
    });

    it(`${name} is right where sums are shared`, async ({ skip }) => {
      await check(testedDevice(skip), planned, [
        [3, 5, 1500],
        [1, 3, 1601],
        [3, 1, 1600],
      ]);
    });
  }

  it('is right on a grid that has to be folded', async ({ skip }) => {
    const device = testedDevice(skip);
    const folded: PlanOf = (m, n, k, settings) => planGemm(m, n, k, settings, { maxComputeWorkgroupsPerDimension: 4 });
    for (const size of [
      [100, 130, 9],
      [1, 500, 9],
      [60, 1, 9],
    ] as const) {
      const [m, n, k] = size;
      expect(folded(m, n, k, plain)[0]?.workgroups[1]).toBeGreaterThan(1);
      expect(await errorOfProduct(device, folded, size, plain), size.join('×')).toBeLessThanOrEqual(1);
    }
  });

  it('keeps beta·out where there are no terms, and reads neither operand for alpha 0', async ({ skip }) => {
    const device = testedDevice(skip);
    const out = Float32Array.of(1, -2, 3, 4, -5, 6);
    const run = async (k: number, alpha: number, beta: number, old: Float32Array): Promise<number[]> => {
      const [got = []] = await runPlan(
        device,
        planned(2, 3, k, { transposeA: false, transposeB: false, alpha, beta }),
        { out: old },
        ['out'],
      );
      return [...got];
    };
    expect(await run(0, 1, 0.5, out)).toEqual([0.5, -1, 1.5, 2, -2.5, 3]);
    expect(await run(4, 0, 1, out)).toEqual([...out]);
    expect((await run(0, 1, 0, new Float32Array(6).fill(Number.NaN))).map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('shows a NaN in the rows and columns it belongs to, and there alone', async ({ skip }) => {
    const device = testedDevice(skip);
    const a = new Float32Array(5 * 6).fill(1);
    a[7] = Number.NaN;
    const b = new Float32Array(6 * 3).fill(2);
    const [got = []] = await runPlan(
      device,
      planned(5, 3, 6, { transposeA: false, transposeB: false, alpha: 1, beta: 0 }),
      { a, b, out: new Float32Array(15) },
      ['out'],
    );
    expect([...got]).toEqual(Array.from({ length: 15 }, (_, i) => (Math.floor(i / 3) === 1 ? Number.NaN : 12)));
  });
});
