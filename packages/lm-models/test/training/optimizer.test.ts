import { createPlainBackend, memoryDifference } from '@vastmax/linalg-core';
import { updateRuleNames } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { normals, rowsOf, valuesOf } from '../numbers.ts';
import { GradientSteps, repeatedTouches } from './gradient-steps.ts';

const columns = 2;
const tableRows = 7;

function advance(steps: GradientSteps, from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    steps.step(0.05, repeatedTouches(step, tableRows, columns), normals(3 * columns, 50 + step));
  }
}

describe.each(updateRuleNames)('an optimizer with %s', (name) => {
  it('continues bit for bit from its state', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    using uninterrupted = new GradientSteps(
      backend,
      name,
      normals(3 * columns, 1),
      normals(tableRows * columns, 2),
      columns,
    );
    advance(uninterrupted, 1, 4);
    using resumed = new GradientSteps(
      backend,
      name,
      await valuesOf(uninterrupted.matrix.value),
      await rowsOf(uninterrupted.table.table),
      columns,
    );
    await resumed.optimizer.restore(uninterrupted.optimizer.state());
    expect(resumed.optimizer.stepCount).toBe(4);
    advance(uninterrupted, 5, 9);
    advance(resumed, 5, 9);
    expect(await valuesOf(resumed.matrix.value)).toEqual(await valuesOf(uninterrupted.matrix.value));
    expect(await rowsOf(resumed.table.table)).toEqual(await rowsOf(uninterrupted.table.table));
  });

  it('describes its state in names and plain JSON', () => {
    const backend = createPlainBackend({ precision: 'f32' });
    using steps = new GradientSteps(backend, name, normals(3 * columns, 1), normals(tableRows * columns, 2), columns);
    const { configuration, tensors } = steps.optimizer.state();
    expect(JSON.parse(JSON.stringify(configuration))).toEqual({
      rule: name,
      options: steps.optimizer.rule.options,
      step: 0,
    });
    const { slots } = steps.optimizer.rule;
    expect(tensors.map((tensor) => [tensor.name, tensor.rows, tensor.columns])).toEqual([
      ...Array.from({ length: slots }, (_, slot) => [`matrix.${slot}`, 3, columns]),
      ...Array.from({ length: slots }, (_, slot) => [`table.${slot}`, tableRows, columns]),
    ]);
  });

  it('creates no handle and no byte after warm-up, whatever the sizes of the minibatches', () => {
    const backend = createPlainBackend({ precision: 'f32' });
    const before = backend.memory();
    {
      using steps = new GradientSteps(backend, name, normals(3 * columns, 1), normals(tableRows * columns, 2), columns);
      const touch = (step: number): void => {
        const indices = Array.from({ length: 1 + ((5 * step) % 11) }, (_, i) => (i * step) % tableRows);
        steps.step(0.01, [{ indices, rows: normals(indices.length * columns, step) }], normals(3 * columns, step));
      };
      for (let step = 0; step < 30; step++) touch(step);
      const warm = backend.memory();
      for (let step = 30; step < 90; step++) touch(step);
      expect(memoryDifference(backend.memory(), warm)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
    }
    expect(backend.memory()).toEqual(before);
  });
});

describe('Optimizer.restore', () => {
  it('refuses the state of another rule, of other shapes, and one without a step count', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    const create = (rule: string, rows: number): GradientSteps =>
      new GradientSteps(backend, rule, normals(rows * columns, 1), normals(tableRows * columns, 2), columns);
    using adam = create('adam', 3);
    using momentum = create('momentum', 3);
    using larger = create('adam', 4);
    await expect(adam.optimizer.restore(momentum.optimizer.state())).rejects.toMatchObject({
      name: 'ModelError',
      code: 'state-mismatch',
      message: "the checkpoint's optimizer is 'momentum', this one is 'adam'",
    });
    await expect(adam.optimizer.restore(larger.optimizer.state())).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "tensor 'matrix.0' is 4×2 in the checkpoint, the model's is 3×2",
    });
    const { configuration, tensors } = adam.optimizer.state();
    await expect(adam.optimizer.restore({ configuration, tensors: [] })).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "the checkpoint has no tensor 'matrix.0'; it has none",
    });
    await expect(
      adam.optimizer.restore({ configuration: { ...configuration, step: 'four' }, tensors }),
    ).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining("the optimizer's step is four in the checkpoint"),
    });
    expect(adam.optimizer.stepCount).toBe(0);
  });
});
