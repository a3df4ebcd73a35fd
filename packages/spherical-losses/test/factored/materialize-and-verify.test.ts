import { RowTable } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { largestDrift, relativeError } from '@vastmax/spherical-losses/testing';
import { readWeights } from './layer-subjects.ts';
import { createTwinRun, staleRows } from './trained-layers.ts';

describe('materialize', () => {
  it.each([
    { precision: 'f64', rounding: 1e-13 },
    { precision: 'f32', rounding: 3e-6 },
  ] as const)(
    'leaves the weights and the steps after it as they are, up to rounding: $precision',
    async ({ precision, rounding }) => {
      using settled = await createTwinRun({ ...staleRows, precision });
      using other = await createTwinRun({ ...staleRows, precision });
      await settled.train(200);
      await other.train(200);
      const before = Float64Array.from(await readWeights(settled.layer));
      await settled.layer.materialize();
      expect(relativeError(await readWeights(settled.layer), before)).toBeLessThan(rounding);
      expect(largestDrift(await settled.layer.verify())).toBeLessThan(precision === 'f64' ? 1e-15 : 2e-7);
      await settled.train(100);
      await other.train(100);
      expect(relativeError(await readWeights(settled.layer), await readWeights(other.layer))).toBeLessThan(rounding);
      expect(await settled.weightError()).toBeLessThan(rounding * 10);
    },
  );

  it('may be repeated, and follow the creation', async () => {
    using run = await createTwinRun(staleRows);
    await run.layer.materialize();
    await run.layer.materialize();
    expect(await run.train(20)).toBeLessThan(1e-5);
  });
});

describe('verify', () => {
  it('reports a healthy layer as such and changes nothing', async () => {
    using run = await createTwinRun(staleRows);
    await run.train(200);
    const before = Float64Array.from(await readWeights(run.layer));
    const { rebases, condition, ...drift } = await run.layer.verify();
    expect(Math.max(...Object.values(drift))).toBeLessThan(1e-5);
    expect(rebases).toBe(run.layer.counters.rebases);
    expect(condition).toBeGreaterThanOrEqual(1 - 1e-6);
    expect(Array.from(await readWeights(run.layer))).toEqual(Array.from(before));
  });

  it('detects a corrupted C and a corrupted w̄', async () => {
    for (const [name, drift] of [
      ['centred_gram', 'gramDrift'],
      ['column_sum', 'columnSumDrift'],
    ] as const) {
      using run = await createTwinRun({ loss: { name: 'z-loss', a: 0.1, b: 10 }, learningRate: 0.05 });
      await run.train(20);
      const state = run.layer.state();
      const tensors = state.tensors.map((tensor) =>
        tensor.name === name
          ? {
              ...tensor,
              read: async (first: number, count: number) => {
                const values = (await tensor.read(first, count)).slice();
                values[3]! += 0.01 * Math.max(...values);
                return values;
              },
            }
          : tensor,
      );
      await run.layer.restore({ configuration: state.configuration, tensors });
      expect((await run.layer.verify())[drift], name).toBeGreaterThan(1e-4);
    }
  });

  it('detects a row of V that changed behind the layer', async () => {
    const tables: RowTable[] = [];
    using run = await createTwinRun({ loss: { name: 'taylor-softmax' }, learningRate: 0.007 });
    await run.train(5);
    const { backend } = run.layer;
    const gatherRows = backend.gatherRows.bind(backend);
    backend.gatherRows = (source, indices, out) => {
      if (source instanceof RowTable) tables.push(source);
      gatherRows(source, indices, out);
    };
    await run.train(1);
    const [rows] = tables;
    if (rows === undefined) throw new Error('the step gathered from no table');
    backend.writeRows(new Float64Array(run.layer.width).fill(1), 7, 1, rows);
    expect(largestDrift(await run.layer.verify())).toBeGreaterThan(1e-3);
  });
});
