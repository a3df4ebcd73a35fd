import { createMatrixFrom, createPlainBackend, read, type Backend, type Matrix } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { readWeights } from './layer-subjects.ts';
import { createTwinRun, staleRows } from './trained-layers.ts';
import { csrFromLists } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, sphericalSoftmax, squaredError, zLoss } from '@vastmax/spherical-losses';
import { type ModuleState, isStateError } from '@vastmax/linalg-core/state';

describe('state and restore', () => {
  it.each(['f64', 'f32'] as const)('are bit for bit with rows of many epochs: %s', async (precision) => {
    using original = await createTwinRun({ ...staleRows, precision, classes: 400 });
    await original.train(173);
    const state = original.layer.state();
    const generations = state.tensors.find(({ name }) => name === 'generations');
    const ages = new Set(Array.from((await generations?.read(0, 400)) ?? []));
    expect(ages.size, 'rows of several epochs').toBeGreaterThan(2);
    expect(
      state.tensors.some(({ name }) => name.startsWith('ladder.')),
      'transforms in the cache',
    ).toBe(true);

    using copy = await createTwinRun({ ...staleRows, precision, classes: 400, seed: 9 });
    await copy.layer.restore(state);
    // The twins' streams differ, so both go on with fresh ones of the same seed.
    original.widenTo(400);
    copy.widenTo(400);
    for (let round = 0; round < 5; round++) {
      await original.train(25);
      await copy.train(25);
      expect(Array.from(await readWeights(copy.layer))).toEqual(Array.from(await readWeights(original.layer)));
      expect({ ...copy.layer.counters, transformsApplied: 0 }).toEqual({
        ...original.layer.counters,
        transformsApplied: 0,
      });
    }
    for (const tensor of original.layer.state().tensors) {
      const other = copy.layer.state().tensors.find(({ name }) => name === tensor.name);
      expect(Array.from((await other?.read(0, tensor.rows)) ?? []), tensor.name).toEqual(
        Array.from(await tensor.read(0, tensor.rows)),
      );
    }
  });

  it('keep the class constants, those of added classes too', async () => {
    const epsilon = Array.from({ length: 10 }, (_, k) => 0.1 + 0.03 * k);
    const sizes = { classes: 10, features: 3 };
    using source = await createFactoredOutputLayer(createPlainBackend(), {
      ...sizes,
      loss: sphericalSoftmax({ epsilon }),
    });
    source.addClasses(new Float64Array(2 * 4).fill(0.01), [0.7, 0.9]);
    using target = await createFactoredOutputLayer(createPlainBackend(), {
      ...sizes,
      classes: 12,
      seed: 5,
      loss: sphericalSoftmax({ epsilon: new Array<number>(12).fill(1) }),
    });
    await target.restore(source.state());
    const hidden = (backend: Backend): Matrix => createMatrixFrom(backend, 2, 3, [1, 2, 3, -1, 0, 2]);
    const targets = csrFromLists([[11], [3]], 12);
    const losses = await read(await source.evaluate(hidden(source.backend), targets));
    expect(Array.from(await read(await target.evaluate(hidden(target.backend), targets)))).toEqual(Array.from(losses));
  });

  it('keep other calls out while they run', async () => {
    using run = await createTwinRun(staleRows);
    const restoring = run.layer.restore(run.layer.state());
    await expect(run.layer.verify()).rejects.toMatchObject({ code: 'busy' });
    await restoring;
    await run.layer.verify();
  });

  it('refuse a state of another loss or precision, naming both', async () => {
    const options = { classes: 10, features: 3 };
    using target = await createFactoredOutputLayer(createPlainBackend(), {
      ...options,
      loss: zLoss({ a: 0.1, b: 10 }),
    });
    const sources = [
      await createFactoredOutputLayer(createPlainBackend(), { ...options, loss: squaredError() }),
      await createFactoredOutputLayer(createPlainBackend(), { ...options, loss: zLoss({ a: 0.2, b: 10 }) }),
      await createFactoredOutputLayer(createPlainBackend({ precision: 'f64' }), { ...options, loss: zLoss() }),
    ];
    const messages: string[] = [];
    for (const source of sources) {
      await target.restore(source.state()).catch((error: unknown) => {
        if (isStateError(error)) messages.push(error.message);
      });
      source[Symbol.dispose]();
    }
    expect(messages).toEqual([
      `factored layer: 'loss' is {"name":"squared-error","options":{"targetValue":1}} in the state, {"name":"z-loss","options":{"a":0.1,"b":10}} in the layer`,
      `factored layer: 'loss' is {"name":"z-loss","options":{"a":0.2,"b":10}} in the state, {"name":"z-loss","options":{"a":0.1,"b":10}} in the layer`,
      `factored layer: 'precision' is "f64" in the state, "f32" in the layer`,
    ]);
  });

  it.each(['generation', 'sweep', 'steps', 'singularSteps'])(
    'refuse a damaged %s before anything is taken over',
    async (key) => {
      using source = await createTwinRun({ ...staleRows, seed: 4 });
      using target = await createTwinRun(staleRows);
      await source.train(60);
      await target.train(40);
      const before = Array.from(await readWeights(target.layer));
      const { configuration, tensors } = source.layer.state();
      for (const damage of [null, -1, 1.5, 'x', { cursor: -3 }]) {
        const restored = target.layer.restore({ configuration: { ...configuration, [key]: damage }, tensors });
        await expect(restored, JSON.stringify(damage)).rejects.toMatchObject({ code: 'state-mismatch' });
      }
      expect(Array.from(await readWeights(target.layer))).toEqual(before);
    },
  );

  it('refuse rows of epochs that no transform leads on from', async () => {
    using source = await createTwinRun({ ...staleRows, seed: 4 });
    using target = await createTwinRun(staleRows);
    await source.train(60);
    const before = Array.from(await readWeights(target.layer));
    const { configuration, tensors } = source.layer.state();
    const generation = Number(configuration['generation']);
    const withGenerations = (value: number): ModuleState => ({
      configuration,
      tensors: tensors.map((tensor) =>
        tensor.name === 'generations'
          ? { ...tensor, read: (_first: number, count: number) => Promise.resolve(new Int32Array(count).fill(value)) }
          : tensor,
      ),
    });
    await expect(target.layer.restore(withGenerations(generation + 1))).rejects.toThrow(
      `row 0 is of rebase epoch ${generation + 1} in the state, it must be from 0 to ${generation}`,
    );
    await expect(target.layer.restore(withGenerations(-1))).rejects.toThrow('row 0 is of rebase epoch -1');
    const withoutMap = {
      configuration,
      tensors: tensors.filter(({ name }) => !name.startsWith(`ladder.0.${generation - 1}.`)),
    };
    await expect(target.layer.restore(withoutMap)).rejects.toThrow(
      `no transform of epoch ${generation - 1}, the current is ${generation}`,
    );
    expect(Array.from(await readWeights(target.layer))).toEqual(before);
  });
});
