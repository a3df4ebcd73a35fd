import { RandomGenerator } from '@vastmax/sparse-data';
import { createPlainBackend, write } from '@vastmax/linalg-core';
import { createFactoredOutputLayer, sphericalSoftmax } from '@vastmax/spherical-losses';
import { DenseReference } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { createTwinRun, staleRows, type TwinOptions, type TwinRun } from './trained-layers.ts';

/** 40 classes more, in the layer and in its dense twin. */
function addFortyClasses(run: TwinRun, options: TwinOptions): void {
  const { layer, dense } = run;
  const random = new RandomGenerator(5);
  const rows = Float64Array.from({ length: 40 * layer.width }, () => Math.fround(0.3 * random.normal()));
  layer.addClasses(rows);
  const weights = new Float64Array(dense.weights.length + rows.length);
  weights.set(dense.weights);
  weights.set(rows, dense.weights.length);
  run.dense = new DenseReference(weights, layer.width, options.loss);
  run.widenTo(layer.classes);
}

describe('addClasses', () => {
  const runs: readonly (TwinOptions & { readonly title: string; readonly tolerance: number })[] = [
    { title: 'Z-loss, f64', loss: { name: 'z-loss', a: 0.1, b: 10 }, learningRate: 0.05, tolerance: 1e-11 },
    {
      title: 'Taylor softmax, f64, row form',
      loss: { name: 'taylor-softmax' },
      learningRate: 0.007,
      form: 'row',
      tolerance: 1e-11,
    },
    {
      title: 'spherical softmax, f32',
      loss: { name: 'spherical-softmax', epsilon: 1 },
      learningRate: 0.003,
      precision: 'f32',
      tolerance: 5e-5,
    },
    { title: 'squared error, f64, rows stale', ...staleRows, precision: 'f64', tolerance: 1e-11 },
    { title: 'squared error, f32, rows stale', ...staleRows, tolerance: 5e-5 },
  ];
  it.each(runs)('is exact, and training goes on with the new classes: $title', async (options) => {
    using run = await createTwinRun(options);
    await run.train(150);
    if (options.loss.name === 'squared-error') expect(run.layer.counters.rebases).toBeGreaterThan(2);
    addFortyClasses(run, options);
    expect(run.layer.classes).toBe(190);
    expect(await run.weightError()).toBeLessThan(options.tolerance);
    expect(await run.train(150)).toBeLessThan(options.tolerance);
    expect(await run.weightError()).toBeLessThan(options.tolerance);
    const { gramDrift, columnSumDrift } = await run.layer.verify();
    expect(Math.max(gramDrift, columnSumDrift)).toBeLessThan(options.tolerance);
  });

  it('takes the constants of the new classes', async () => {
    const epsilon = Float64Array.from({ length: 20 }, (_, k) => 1 / (k + 1));
    const backend = createPlainBackend({ precision: 'f64' });
    const options = {
      features: 3,
      bias: false,
      initialRows: (first: number, count: number) =>
        Float64Array.from({ length: count * 3 }, (_, i) => Math.sin(first * 3 + i)),
    };
    using grown = await createFactoredOutputLayer(backend, {
      ...options,
      classes: 12,
      loss: sphericalSoftmax({ epsilon: epsilon.subarray(0, 12) }),
    });
    using whole = await createFactoredOutputLayer(backend, {
      ...options,
      classes: 20,
      loss: sphericalSoftmax({ epsilon }),
    });
    grown.addClasses(options.initialRows(12, 8), epsilon.subarray(12));
    using hidden = backend.createMatrix(2, 3);
    write([1, 2, 3, -1, 0.5, 2], hidden);
    const targets = {
      rows: 2,
      columns: 20,
      offsets: Int32Array.of(0, 1, 2),
      indices: Int32Array.of(3, 17),
      values: undefined,
    };
    const results: number[][] = [];
    for (const layer of [grown, whole]) {
      const out = new Float64Array(2);
      await backend.read(await layer.evaluate(hidden, targets), out);
      results.push(Array.from(out));
    }
    expect(results[0]?.[0]).toBeCloseTo(results[1]?.[0] ?? Number.NaN, 13);
    expect(results[0]?.[1]).toBeCloseTo(results[1]?.[1] ?? Number.NaN, 13);
    expect(() => {
      grown.addClasses([1, 2, 3]);
    }).toThrow('0 class constants for 1 classes of a loss with constants');
  });

  it('refuses rows that are no rows, and numbers that are none, without changing anything', async () => {
    using run = await createTwinRun(staleRows);
    const { layer } = run;
    expect(() => {
      layer.addClasses(new Float64Array(layer.width + 1));
    }).toThrow(`${layer.width + 1} values are not whole rows of ${layer.width}`);
    expect(() => {
      layer.addClasses(new Float64Array(layer.width).fill(Number.NaN));
    }).toThrow('the initial weight of class 150, feature 0 is NaN');
    expect(() => {
      layer.addClasses([]);
    }).toThrow('0 values are not whole rows');
    expect(layer.classes).toBe(150);
    expect(await run.train(5)).toBeLessThan(1e-5);
  });
});
