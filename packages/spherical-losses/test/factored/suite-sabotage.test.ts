import { affine } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { outputLayerCases, type LayerUnderTest } from '@vastmax/output-layer/suite';
import { describe, expect, it } from 'vitest';
import { zLoss } from '@vastmax/spherical-losses';
import { factoredSubject, wrapped } from './layer-subjects.ts';

const honest = factoredSubject('honest', { loss: () => zLoss() });

function sabotaged(name: string, spoil: (layer: OutputLayer) => OutputLayer): LayerUnderTest {
  return {
    name,
    backend: () => honest.backend(),
    create: async (backend, request) => spoil(await honest.create(backend, request)),
  };
}

async function failuresOf(subject: LayerUnderTest): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, run } of outputLayerCases) {
    if (id === 'gradient/equals-dense-sgd') continue;
    await run(subject).catch(() => failed.push(id));
  }
  return failed;
}

describe('the output layer suite', () => {
  it('passes the honest layer behind the wrapper', async () => {
    expect(await failuresOf(sabotaged('untouched', (layer) => wrapped(layer, {})))).toEqual([]);
  });

  it('catches a hidden gradient that is a thousandth too long', async () => {
    const subject = sabotaged('scaled gradient', (layer) =>
      wrapped(layer, {
        step: async (hidden, targets, options) => {
          const result = await layer.step(hidden, targets, options);
          affine(result.hiddenGradient, 1.001, 0, result.hiddenGradient);
          return result;
        },
      }),
    );
    expect(await failuresOf(subject)).toEqual([
      'gradient/finite-differences',
      'gradient/finite-differences-after-training',
      'gradient/finite-differences-of-one-example',
    ]);
  });

  it('catches a restore that forgets a tensor', async () => {
    const subject = sabotaged('forgetful restore', (layer) =>
      wrapped(layer, {
        restore: (state) => {
          const own = layer.state().tensors;
          const tensors = state.tensors.map((tensor) =>
            tensor.name === 'shift' ? (own.find(({ name }) => name === 'shift') ?? tensor) : tensor,
          );
          return layer.restore({ configuration: state.configuration, tensors });
        },
      }),
    );
    const failed = await failuresOf(subject);
    expect(failed).toContain('restore/continues-bit-for-bit');
    expect(failed).toContain('restore/undoes-steps');
  });

  it('catches an evaluate that trains', async () => {
    const subject = sabotaged('training evaluate', (layer) =>
      wrapped(layer, {
        evaluate: async (hidden, targets) => (await layer.step(hidden, targets, { learningRate: 1e-6 })).losses,
      }),
    );
    expect(await failuresOf(subject)).toContain('gradient/evaluate-changes-nothing');
  });

  it('catches a layer that updates before it looks at its input', async () => {
    const subject = sabotaged('hasty step', (layer) =>
      wrapped(layer, {
        step: async (hidden, targets, options) => {
          using earlier = layer.backend.createMatrix(1, layer.features);
          await layer.step(
            earlier,
            {
              rows: 1,
              columns: layer.classes,
              offsets: Int32Array.of(0, 1),
              indices: Int32Array.of(0),
              values: undefined,
            },
            { learningRate: 1e-3 },
          );
          return layer.step(hidden, targets, options);
        },
      }),
    );
    const failed = await failuresOf(subject);
    expect(failed).toContain('bad-input/nan-in-hidden');
    expect(failed).toContain('lifetime/no-new-handles-after-warm-up');
    expect(failed).toContain('gradient/rate-0-changes-nothing');
  });
});
