import { createPlainBackend } from '@vastmax/linalg-core';
import { createOutputLayer, outputLayerNames, trainingDefaults, type OutputLayerChoice } from '@vastmax/lm-models';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../numbers.ts';

const choice: OutputLayerChoice = { kind: 'factored', loss: { name: 'z-loss', options: { a: 0.05, b: 20 } }, initialScale: 0.1, seed: 3 };

describe('createOutputLayer', () => {
  it('makes the layer that the choice describes', async () => {
    const backend = createPlainBackend();
    using layer = await createOutputLayer(backend, 20, 4, { ...choice, weightDecay: 0.01 });
    expect([layer.kind, layer.classes, layer.features, layer.isNormalized]).toEqual(['factored', 20, 4, false]);
    expect(layer.state().configuration).toMatchObject({ weightDecay: 0.01, loss: { name: 'z-loss', options: { a: 0.05, b: 20 } } });
  });

  it('starts from the seed and the scale', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const vectors = async (changes: Partial<OutputLayerChoice>): Promise<Float64Array> => {
      using layer = await createOutputLayer(backend, 300, 4, { ...choice, ...changes });
      using out = backend.createMatrix(300, 4);
      layer.classVectors(0, out);
      return valuesOf(out);
    };
    const first = await vectors({});
    expect(await vectors({})).toEqual(first);
    expect(await vectors({ seed: 4 })).not.toEqual(first);
    const doubled = await vectors({ initialScale: 0.2 });
    for (const [i, value] of doubled.entries()) expect(value).toBeCloseTo(2 * first[i]!, 14);
    expect(Math.sqrt(first.reduce((sum, x) => sum + x * x, 0) / first.length)).toBeCloseTo(0.1, 1);
  });

  it('names what there is when asked for something else, and leaves nothing behind', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const attempt = async (changes: object): Promise<unknown> => createOutputLayer(backend, 20, 4, { ...choice, ...changes });
    await expect(attempt({ kind: 'softmax' })).rejects.toThrow(`no output layer is called 'softmax'; there are ${outputLayerNames.join(', ')}`);
    await expect(attempt({ loss: { name: 'softmax', options: {} } })).rejects.toThrow(
      `no built-in loss is called 'softmax'; there are ${builtInLossNames.join(', ')}`,
    );
    await expect(attempt({ loss: { name: 'z-loss', options: { a: -1 } } })).rejects.toThrow('z-loss: a must be a finite number above 0, got -1');
    await expect(attempt({ initialScale: -1 })).rejects.toMatchObject({ code: 'bad-option' });
    expect(backend.memory()).toEqual(before);
  });
});

describe('trainingDefaults', () => {
  it.each(builtInLossNames)('has a start for the %s that makes a layer', async (loss) => {
    const { lossOptions, initialScale, outputRate, bodyRate } = trainingDefaults(loss);
    for (const value of [initialScale, outputRate, bodyRate]) expect(value).toBeGreaterThan(0);
    using layer = await createOutputLayer(createPlainBackend(), 10, 3, { ...choice, loss: { name: loss, options: lossOptions }, initialScale });
    expect(layer.state().configuration['loss']).toEqual({ name: loss, options: lossOptions });
  });

  it('names the losses when asked for another one, a name of Object.prototype included', () => {
    for (const name of ['softmax', '', 'constructor', 'toString']) {
      expect(() => trainingDefaults(name)).toThrow(`no loss is called '${name}'; there are ${builtInLossNames.join(', ')}`);
    }
  });
});
