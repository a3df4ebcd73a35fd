import { createPlainBackend } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { describe, expect, it } from 'vitest';
import { readWeights } from './layer-subjects.ts';
import { createTwinRun, staleRows } from './trained-layers.ts';
import { createFactoredOutputLayer, squaredError, zLoss } from '@vastmax/spherical-losses';

describe('state and restore', () => {
  it.each(['f64', 'f32'] as const)('are bit for bit in the middle of stale generations: %s', async (precision) => {
    using original = await createTwinRun({ ...staleRows, precision, classes: 400 });
    await original.train(173);
    const state = original.layer.state();
    const generations = state.tensors.find(({ name }) => name === 'generations');
    const ages = new Set(Array.from((await generations?.read(0, 400)) ?? []));
    expect(ages.size, 'rows of several generations').toBeGreaterThan(2);
    expect(state.tensors.some(({ name }) => name.startsWith('ladder.')), 'maps in the ladder').toBe(true);

    using copy = await createTwinRun({ ...staleRows, precision, classes: 400, seed: 9 });
    await copy.layer.restore(state);
    // The twins' streams differ, so both go on with fresh ones of the same seed.
    original.widenTo(400);
    copy.widenTo(400);
    for (let round = 0; round < 5; round++) {
      await original.train(25);
      await copy.train(25);
      expect(Array.from(await readWeights(copy.layer))).toEqual(Array.from(await readWeights(original.layer)));
      expect({ ...copy.layer.counters, mapsApplied: 0 }).toEqual({ ...original.layer.counters, mapsApplied: 0 });
    }
    for (const tensor of original.layer.state().tensors) {
      const other = copy.layer.state().tensors.find(({ name }) => name === tensor.name);
      expect(Array.from((await other?.read(0, tensor.rows)) ?? []), tensor.name).toEqual(Array.from(await tensor.read(0, tensor.rows)));
    }
  });

  it('refuse a state of another loss or precision, naming both', async () => {
    const options = { classes: 10, features: 3 };
    using target = await createFactoredOutputLayer(createPlainBackend(), { ...options, loss: zLoss({ a: 0.1, b: 10 }) });
    const sources = [
      await createFactoredOutputLayer(createPlainBackend(), { ...options, loss: squaredError() }),
      await createFactoredOutputLayer(createPlainBackend(), { ...options, loss: zLoss({ a: 0.2, b: 10 }) }),
      await createFactoredOutputLayer(createPlainBackend({ precision: 'f64' }), { ...options, loss: zLoss() }),
    ];
    const messages: string[] = [];
    for (const source of sources) {
      await target.restore(source.state()).catch((error: unknown) => {
        if (error instanceof OutputLayerError && error.code === 'state-mismatch') messages.push(error.message);
      });
      source[Symbol.dispose]();
    }
    expect(messages).toEqual([
      `factored layer: 'loss' is {"name":"squared-error","options":{"targetValue":1}} in the state, {"name":"z-loss","options":{"a":0.1,"b":10}} in the layer`,
      `factored layer: 'loss' is {"name":"z-loss","options":{"a":0.2,"b":10}} in the state, {"name":"z-loss","options":{"a":0.1,"b":10}} in the layer`,
      `factored layer: 'precision' is "f64" in the state, "f32" in the layer`,
    ]);
  });

  it.each(['generation', 'sweep', 'steps', 'singularSteps'])('refuse a damaged %s before anything is taken over', async (key) => {
    using run = await createTwinRun(staleRows);
    await run.train(60);
    const before = Array.from(await readWeights(run.layer));
    const { configuration, tensors } = run.layer.state();
    await run.train(3);
    const after = Array.from(await readWeights(run.layer));
    expect(after).not.toEqual(before);
    for (const damage of [undefined, -1, 'x', { cursor: -3 }]) {
      const damaged = { ...configuration, [key]: damage ?? null };
      await expect(run.layer.restore({ configuration: damaged, tensors })).rejects.toMatchObject({ code: 'state-mismatch' });
    }
    expect(Array.from(await readWeights(run.layer))).toEqual(after);
  });
});
