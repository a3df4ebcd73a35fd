import { affine, createPlainBackend } from '@vastmax/linalg-core';
import {
  describeOutputLayer,
  outputLayerCases,
  type LayerRequest,
  type LayerUnderTest,
} from '@vastmax/output-layer/suite';
import { describe, expect, it } from 'vitest';
import { NaiveLayer } from './naive-layer.ts';

const backend = (): ReturnType<typeof createPlainBackend> => createPlainBackend({ precision: 'f64' });

describeOutputLayer({ name: 'naive', backend, create: (on, request) => Promise.resolve(new NaiveLayer(on, request)) });
// As on a GPU.
describeOutputLayer({
  name: 'naive, f32',
  backend: () => createPlainBackend({ precision: 'f32' }),
  create: (on, request) => Promise.resolve(new NaiveLayer(on, request)),
});

/** The cases that a spoiled layer fails. */
async function failuresOf(Spoiled: typeof NaiveLayer, precision: 'f32' | 'f64' = 'f64'): Promise<string[]> {
  const subject: LayerUnderTest = {
    name: 'spoiled',
    backend: () => createPlainBackend({ precision }),
    create: (on, request) => Promise.resolve(new Spoiled(on, request)),
  };
  const failed: string[] = [];
  for (const { id, run } of outputLayerCases) {
    if (id !== 'gradient/equals-dense-sgd') await run(subject).catch(() => failed.push(id));
  }
  return failed;
}

describe('the suite', () => {
  it('has distinct ids', () => {
    expect(new Set(outputLayerCases.map(({ id }) => id)).size).toBe(outputLayerCases.length);
  });

  it('catches scores that forget where the block begins', async () => {
    class Spoiled extends NaiveLayer {
      override scores(...[hidden, , out]: Parameters<NaiveLayer['scores']>): void {
        super.scores(hidden, 0, out);
      }
    }
    expect(await failuresOf(Spoiled)).toEqual(['ranking/scores-by-blocks', 'ranking/bad-input-is-refused']);
  });

  it.each(['f64', 'f32'] as const)('catches a gradient that is 2 % too large, in %s', async (precision) => {
    class Spoiled extends NaiveLayer {
      override async step(...call: Parameters<NaiveLayer['step']>): ReturnType<NaiveLayer['step']> {
        const result = await super.step(...call);
        affine(result.hiddenGradient, 1.02, 0, result.hiddenGradient);
        return result;
      }
    }
    const differences = ['', '-after-training', '-of-one-example'].map(
      (which) => `gradient/finite-differences${which}`,
    );
    expect(await failuresOf(Spoiled, precision)).toEqual(differences);
  });

  it('catches a layer that keeps a handle', async () => {
    class Spoiled extends NaiveLayer {
      constructor(on: ConstructorParameters<typeof NaiveLayer>[0], request: LayerRequest) {
        super(on, request);
        on.createMatrix(2, 2);
      }
    }
    expect(await failuresOf(Spoiled)).toEqual(['lifetime/dispose-returns-every-handle']);
  });

  it('catches a call that takes the guard one microtask late', async () => {
    class Spoiled extends NaiveLayer {
      override async evaluate(...call: Parameters<NaiveLayer['evaluate']>): ReturnType<NaiveLayer['evaluate']> {
        await Promise.resolve();
        return super.evaluate(...call);
      }
    }
    expect(await failuresOf(Spoiled)).toEqual(['overlap/evaluate', 'overlap/dispose-waits-for-the-running-call']);
  });

  it('catches a restore that accepts anything', async () => {
    class Spoiled extends NaiveLayer {
      override restore(): Promise<void> {
        return Promise.resolve();
      }
    }
    expect((await failuresOf(Spoiled)).filter((id) => id.startsWith('restore/'))).toEqual([
      'restore/continues-bit-for-bit',
      'restore/undoes-steps',
      'restore/other-number-of-classes-is-refused',
      'restore/other-number-of-features-is-refused',
      'restore/other-kind-is-refused',
      'restore/missing-tensor-is-refused',
      'restore/tensor-of-another-shape-is-refused',
    ]);
  });

  it('refuses a reason for a case that it does not have', () => {
    const subject: LayerUnderTest = {
      name: 'x',
      backend,
      create: (on, request) => Promise.resolve(new NaiveLayer(on, request)),
      notApplicable: { 'gradient/none': 'why not' },
    };
    expect(() => {
      describeOutputLayer(subject);
    }).toThrow("there is no case 'gradient/none'");
  });
});
