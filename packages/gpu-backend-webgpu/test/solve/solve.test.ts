import { createRandom } from '@vastmax/backend-conformance';
import { describe, expect, it } from 'vitest';
import { planSolve } from '../../src/solve/solve-dispatch.ts';
import { runPlan } from '../../src/testing/run-plan.ts';
import { testedDevice } from '../gemm/tested-device.ts';
import { conditionOf, backwardErrorOf } from './dense-reference.ts';

const limits = { maxComputeWorkgroupsPerDimension: 65_535 };

interface Solved {
  readonly out: Float32Array;
  readonly reciprocalCondition: number;
}

async function solve(device: GPUDevice, a: Float32Array, b: Float32Array, n: number, most = limits): Promise<Solved> {
  const operands = {
    a,
    b,
    out: new Float32Array(b.length).fill(Number.NaN),
    reciprocalCondition: Float32Array.of(Number.NaN),
  };
  const [out = b, condition = b] = await runPlan(device, planSolve(n, b.length / n, most), operands, [
    'out',
    'reciprocalCondition',
  ]);
  return { out, reciprocalCondition: condition[0] ?? Number.NaN };
}

function numbers(count: number, seed: string): Float32Array {
  return Float32Array.from(createRandom(seed).values(count, 'f32'));
}

async function checkSystem(
  device: GPUDevice,
  a: Float32Array,
  n: number,
  columns: number,
  most = limits,
): Promise<void> {
  const b = numbers(n * columns, `${n} sides`);
  const { out, reciprocalCondition } = await solve(device, a, b, n, most);
  expect(backwardErrorOf(a, out, b, n), `n = ${n}, ${columns} columns`).toBeLessThanOrEqual(1);
  const exact = 1 / conditionOf(a, n);
  // Off by rounding; lower where it is the bound for systems near the identity.
  expect(reciprocalCondition).toBeGreaterThanOrEqual(((7 / 9) * exact) / (1 + (8 * n * 2 ** -23) / exact));
  expect(reciprocalCondition).toBeLessThanOrEqual(exact * (1 + (8 * n * 2 ** -23) / exact));
}

describe('the solve on a device', () => {
  it('is backward stable for any size, with the true condition', async ({ skip }) => {
    const device = testedDevice(skip);
    for (const [n, columns] of [
      [1, 1],
      [2, 3],
      [15, 2],
      [16, 65],
      [17, 4],
      [63, 1],
      [100, 70],
      [140, 3],
    ] as const) {
      await checkSystem(device, numbers(n * n, `${n}`), n, columns);
    }
  });

  it('gives a thread several rows of a large system', async ({ skip }) => {
    await checkSystem(testedDevice(skip), numbers(270 * 270, 'large'), 270, 2);
  });

  it('folds a grid of many right-hand sides', async ({ skip }) => {
    await checkSystem(testedDevice(skip), numbers(9, 'wide'), 3, 400, { maxComputeWorkgroupsPerDimension: 3 });
  });

  it('exchanges rows', async ({ skip }) => {
    const device = testedDevice(skip);
    await checkSystem(device, Float32Array.of(0, 1, 2, 1, 0, 3, 2, 1, 0), 3, 2);
    await checkSystem(device, Float32Array.of(2 ** -27, 1, 1, 1), 2, 3);
    await checkSystem(
      device,
      Float32Array.from({ length: 40 * 40 }, (_, i) => (i % 40 === 39 - Math.floor(i / 40) ? 2 : 0)),
      40,
      2,
    );
  });

  it('keeps the small residual of an ill-conditioned system', async ({ skip }) => {
    const values = numbers(400, 'graded').map((value, i) => value * 10 ** ((-4 * Math.floor(i / 20)) / 19));
    await checkSystem(testedDevice(skip), values, 20, 3);
  });

  it('bounds the condition near the identity', async ({ skip }) => {
    const device = testedDevice(skip);
    for (const distance of [0, 0.01, 0.1, 0.124]) {
      const n = 20;
      const a = numbers(n * n, 'near').map((value, i) => (i % (n + 1) === 0 ? 1 : 0) + (value * distance) / n);
      await checkSystem(device, a, n, 3);
    }
    await checkSystem(device, Float32Array.of(0.9, 0, 0, 1.1), 2, 1);
  });

  it('finds exactly 0 for a singular system', async ({ skip }) => {
    const device = testedDevice(skip);
    const equalRows = numbers(20 * 20, 'equal rows');
    equalRows.copyWithin(20 * 13, 20 * 4, 20 * 5);
    const systems: readonly (readonly [number, Float32Array])[] = [
      [1, Float32Array.of(0)],
      [2, Float32Array.of(1, 2, 2, 4)],
      [3, Float32Array.of(1, 0, 2, 3, 0, 1, 1, 0, 4)],
      [3, Float32Array.of(1, 2, 4, 0, 0, 0, 2, 1, 1)],
      [20, equalRows],
    ];
    for (const [n, a] of systems)
      expect((await solve(device, a, new Float32Array(n).fill(1), n)).reciprocalCondition, `n = ${n}`).toBe(0);
  });

  it('lets a NaN through: of a to everything, of b to its column', async ({ skip }) => {
    const device = testedDevice(skip);
    const a = numbers(25, 'good');
    const b = numbers(10, 'sides');
    b[4] = Number.NaN;
    const good = await solve(device, a, b, 5);
    expect(good.reciprocalCondition).toBeGreaterThan(0);
    expect([...good.out].map(Number.isNaN)).toEqual(Array.from({ length: 10 }, (_, i) => i % 2 === 0));
    a[13] = Number.NaN;
    const bad = await solve(device, a, numbers(5, 'sides'), 5);
    expect(bad.reciprocalCondition).toBeNaN();
    expect([...bad.out].some(Number.isNaN)).toBe(true);
  });

  it('is the same every time', async ({ skip }) => {
    const device = testedDevice(skip);
    const [a, b] = [numbers(50 * 50, 'again'), numbers(50 * 3, 'again, sides')];
    expect(await solve(device, a, b, 50)).toEqual(await solve(device, a, b, 50));
  });
});
