import { expect } from 'vitest';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { LayerRequest, LayerUnderTest, OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, request } from './minibatches.ts';
import { expectRefusal, expectUnchanged, snapshotOf, stepOn, warmUp } from './observations.ts';

/** A state of a layer of other sizes is rejected with both values, and nothing is restored. */
async function expectOtherSizesRefused(
  subject: LayerUnderTest,
  other: LayerRequest,
  values: readonly number[],
): Promise<void> {
  const backend = subject.backend();
  using source = await subject.create(backend, other);
  using target = await subject.create(backend, request);
  await warmUp(target);
  const before = await snapshotOf(target);
  await expectRefusal(() => target.restore(source.state()), 'state-mismatch', values);
  await expectUnchanged(target, before, 'the refused restore');
}

/** A damaged copy of a layer's own state. */
async function expectDamageRefused(
  subject: LayerUnderTest,
  damage: (state: ModuleState) => ModuleState,
  values: readonly unknown[],
): Promise<void> {
  using layer = await subject.create(subject.backend(), request);
  await warmUp(layer);
  const before = await snapshotOf(layer);
  await expectRefusal(() => layer.restore(damage(layer.state())), 'state-mismatch', [...values]);
  await expectUnchanged(layer, before, 'the refused restore');
}

export const stateCases: readonly OutputLayerCase[] = [
  {
    id: 'restore/continues-bit-for-bit',
    run: async (subject) => {
      const backend = subject.backend();
      using original = await subject.create(backend, request);
      await warmUp(original, 25);
      using copy = await subject.create(backend, { ...request, seed: request.seed + 1 });
      await warmUp(copy, 3);
      await copy.restore(original.state());
      expect(await snapshotOf(copy), 'the restored layer').toEqual(await snapshotOf(original));
      for (let step = 0; step < 20; step++) {
        const batch = createMinibatch(1 + (step % 6), 300 + step);
        expect(await stepOn(copy, batch), `step ${step} after the restore`).toEqual(await stepOn(original, batch));
      }
      expect(await snapshotOf(copy), 'after 20 further steps').toEqual(await snapshotOf(original));
    },
  },
  {
    id: 'restore/undoes-steps',
    run: async (subject) => {
      const backend = subject.backend();
      using layer = await subject.create(backend, request);
      using keeper = await subject.create(backend, { ...request, seed: request.seed + 1 });
      await warmUp(layer);
      await keeper.restore(layer.state());
      const before = await snapshotOf(layer);
      await stepOn(layer, createMinibatch(5, 320));
      expect(await snapshotOf(layer), 'a step changes the layer').not.toEqual(before);
      await expectUnchanged(keeper, before, 'a step of the layer whose state it took over');
      await layer.restore(keeper.state());
      await expectUnchanged(layer, before, 'the step that was undone');
    },
  },
  {
    id: 'restore/state-is-plain-json',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const { configuration, tensors } = layer.state();
      expect(JSON.parse(JSON.stringify(configuration)), 'the configuration survives JSON').toEqual(configuration);
      expect(configuration['kind'], 'it names the kind').toBe(layer.kind);
      expect(new Set(tensors.map(({ name }) => name)).size, 'tensor names are distinct').toBe(tensors.length);
    },
  },
  {
    id: 'restore/tensors-are-read-by-blocks',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      for (const { name, rows, columns, read } of layer.state().tensors) {
        const whole = Array.from((await read(0, rows)).subarray(0, rows * columns));
        const half = Math.floor(rows / 2);
        const parts = Array.from((await read(0, half)).subarray(0, half * columns));
        parts.push(...(await read(half, rows - half)).subarray(0, (rows - half) * columns));
        expect(parts, `tensor '${name}' in two blocks`).toEqual(whole);
      }
    },
  },
  {
    id: 'restore/other-number-of-classes-is-refused',
    run: (subject) => expectOtherSizesRefused(subject, { ...request, classes: 23 }, [23, request.classes]),
  },
  {
    id: 'restore/other-number-of-features-is-refused',
    run: (subject) => expectOtherSizesRefused(subject, { ...request, features: 8 }, [8, request.features]),
  },
  {
    id: 'restore/other-kind-is-refused',
    run: (subject) =>
      expectDamageRefused(
        subject,
        ({ configuration, tensors }) => ({ configuration: { ...configuration, kind: 'something-else' }, tensors }),
        ['something-else'],
      ),
  },
  {
    id: 'restore/missing-tensor-is-refused',
    run: (subject) =>
      expectDamageRefused(
        subject,
        ({ configuration, tensors }) => ({ configuration, tensors: tensors.slice(0, -1) }),
        [],
      ),
  },
  {
    id: 'restore/tensor-of-another-shape-is-refused',
    run: (subject) =>
      expectDamageRefused(
        subject,
        ({ configuration, tensors }) => ({
          configuration,
          tensors: tensors.map((tensor, i) =>
            i === tensors.length - 1 ? { ...tensor, rows: tensor.rows + 41 } : tensor,
          ),
        }),
        [],
      ),
  },
];
