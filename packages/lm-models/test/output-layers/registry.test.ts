import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import {
  createOutputLayer,
  loadOutputLayer,
  outputLayerNames,
  outputLayerOf,
  proposalNames,
  trainingDefaults,
  type OutputLayerChoice,
  type OutputLayerName,
  type OutputLayerSizes,
} from '@vastmax/lm-models';
import type { SampledLayer } from '@vastmax/softmax-losses';
import { singleTargets } from '@vastmax/sparse-data';
import { builtInLossNames, createBuiltInLoss } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../numbers.ts';

const choice = {
  kind: 'factored',
  loss: { name: 'z-loss', options: { a: 0.05, b: 20 } },
  initialScale: 0.1,
  seed: 3,
} satisfies OutputLayerChoice;

/** Class k occurs 1000/(k + 1) times, the last one never. */
function sizes(classes: number, features: number): OutputLayerSizes {
  return {
    features,
    frequencies: Float64Array.from({ length: classes }, (_, k) => (k === classes - 1 ? 0 : Math.ceil(1000 / (k + 1)))),
  };
}

describe('createOutputLayer', () => {
  it('makes the layer that the choice describes', async () => {
    const backend = createPlainBackend();
    using layer = await createOutputLayer(backend, sizes(20, 4), { ...choice, weightDecay: 0.01 });
    expect([layer.kind, layer.classes, layer.features, layer.isNormalized]).toEqual(['factored', 20, 4, false]);
    expect(layer.state().configuration).toMatchObject({
      weightDecay: 0.01,
      loss: { name: 'z-loss', options: { a: 0.05, b: 20 } },
    });
  });

  it('makes a factored layer with a preconditioner, of power 0.5 or 1', async () => {
    const backend = createPlainBackend();
    for (const precondition of [0.5, 1]) {
      using layer = await createOutputLayer(backend, sizes(20, 4), { ...choice, precondition });
      expect(layer.state().tensors.map(({ name }) => name)).toContain('preconditioner');
    }
    await expect(createOutputLayer(backend, sizes(20, 4), { ...choice, precondition: 2 })).rejects.toThrow(
      'factored layer: preconditioner.power must be 0.5 or 1, got 2',
    );
  });

  it('starts from the seed and the scale', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const vectors = async (changes: Partial<typeof choice>): Promise<Float64Array> => {
      using layer = await createOutputLayer(backend, sizes(300, 4), { ...choice, ...changes });
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

  const others: Readonly<Record<Exclude<OutputLayerName, 'factored'>, object>> = {
    hybrid: {
      headSize: 10,
      cutoffs: [20],
      tail: 'spherical',
      priorPower: 0.5,
      tailLoss: 'taylor-softmax',
      headRate: 1,
      tailRate: 1,
    },
    full: { labelSmoothing: 0.1 },
    hierarchical: {},
    huffman: { rule: { name: 'momentum', options: { momentum: 0.8 } } },
    adaptive: { cutoffs: [5, 20], divValue: 2 },
    sampled: { samples: 12, proposal: 'unigram', power: 0.75, head: 5, rule: { name: 'adagrad' } },
    nce: { samples: 12, proposal: 'log-uniform' },
    negative: { samples: 12, proposal: 'learned' },
    rf: { samples: 6, temperature: 9, frequencies: 32, nu: 3 },
    quadratic: { samples: 6, alpha: 50, rule: { name: 'adam' } },
  };

  it.each(outputLayerNames)(
    'loads %s from its state without a random start, and it goes on bit for bit',
    async (kind) => {
      const backend = createPlainBackend();
      const own = kind === 'factored' ? { precondition: 1 } : others[kind];
      const made = { ...choice, ...own, kind } as OutputLayerChoice;
      using layer = await createOutputLayer(backend, sizes(30, 4), made);
      using hidden = createMatrixFrom(backend, 2, 4, [0.1, 0.7, -0.3, 0.4, -0.5, 0.2, 0.6, 0.9]);
      const targets = singleTargets(Int32Array.of(3, 21), 30);
      for (let step = 0; step < 3; step++) await layer.step(hidden, targets, { learningRate: 0.05 });
      using loaded = await loadOutputLayer(backend, sizes(30, 4), made, layer.state());
      for (let step = 0; step < 3; step++) {
        const expected = await valuesOf((await layer.step(hidden, targets, { learningRate: 0.05 })).losses);
        const got = await valuesOf((await loaded.step(hidden, targets, { learningRate: 0.05 })).losses);
        expect(got).toEqual(expected);
      }
      using scores = backend.createMatrix(2, 30);
      layer.scores(hidden, 0, scores);
      const expected = await valuesOf(scores);
      loaded.scores(hidden, 0, scores);
      expect(await valuesOf(scores)).toEqual(expected);
    },
  );

  it.each(Object.entries(others))('makes %s, which trains', async (kind, options) => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createOutputLayer(backend, sizes(40, 4), {
      kind,
      initialScale: 0.1,
      seed: 5,
      ...options,
    } as OutputLayerChoice);
    using hidden = createMatrixFrom(backend, 2, 4, [1, 0, 2, -1, 0.5, 1, -1, 3]);
    const targets = singleTargets(Int32Array.of(7, 22), 40);
    const mean = async (): Promise<number> => {
      const [first = NaN, second = NaN] = await read(await layer.evaluate(hidden, targets));
      return (first + second) / 2;
    };
    expect([layer.classes, layer.features]).toEqual([40, 4]);
    const before = await mean();
    for (let step = 0; step < 30; step++) await layer.step(hidden, targets, { learningRate: 0.1 });
    expect(await mean()).toBeLessThan(before);
  });

  it.each(proposalNames)('draws from the %s proposal', async (proposal) => {
    using layer = await createOutputLayer(createPlainBackend(), sizes(40, 4), {
      kind: 'sampled',
      samples: 5,
      proposal,
      initialScale: 0.1,
      seed: 5,
    });
    expect(JSON.stringify(layer.state().configuration)).toContain(proposal);
  });

  it('has the most frequent classes in every sample of a head, however classes are ordered', async () => {
    const frequencies = Float64Array.of(3, 0, 9, 1, 7, 2);
    const backend = createPlainBackend();
    using layer = (await createOutputLayer(
      backend,
      { features: 2, frequencies },
      { kind: 'sampled', samples: 2, proposal: 'unigram', head: 3, initialScale: 0.1, seed: 5 },
    )) as SampledLayer;
    using hidden = createMatrixFrom(backend, 1, 2, [1, 2]);
    for (let step = 0; step < 10; step++) {
      await layer.step(hidden, singleTargets(Int32Array.of(1), 6), { learningRate: 0.1 });
      const { classes, columns } = layer.method.samples;
      expect(Array.from(classes.subarray(0, 3))).toEqual([2, 4, 0]);
      for (const drawn of classes.subarray(3, columns)) expect([1, 3, 5]).toContain(drawn);
    }
  });

  it('starts the full softmax at the unigram distribution, a class never seen at half an occurrence', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const { features, frequencies } = sizes(40, 4);
    using layer = await createOutputLayer(
      backend,
      { features, frequencies },
      { kind: 'full', initialScale: 0, seed: 1 },
    );
    using hidden = createMatrixFrom(backend, 2, 4, [1, 0, 2, -1, 0.5, 1, -1, 3]);
    const total = frequencies.reduce((sum, count) => sum + Math.max(0.5, count), 0);
    const losses = await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(2, 39), 40)));
    expect(losses[0]).toBeCloseTo(-Math.log(frequencies[2]! / total), 12);
    expect(losses[1]).toBeCloseTo(-Math.log(0.5 / total), 12);
  });

  it('names what there is when asked for something else, and leaves nothing behind', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const attempt = async (changes: object): Promise<unknown> =>
      createOutputLayer(backend, sizes(20, 4), { ...choice, ...changes });
    await expect(attempt({ kind: 'softmax' })).rejects.toThrow(
      `no output layer is called 'softmax'; there are ${outputLayerNames.join(', ')}`,
    );
    await expect(attempt({ loss: { name: 'softmax', options: {} } })).rejects.toThrow(
      `no built-in loss is called 'softmax'; there are ${builtInLossNames.join(', ')}`,
    );
    await expect(attempt({ loss: { name: 'z-loss', options: { a: -1 } } })).rejects.toThrow(
      'z-loss: a must be a finite number above 0, got -1',
    );
    await expect(attempt({ kind: 'sampled', samples: 5, proposal: 'zipf' })).rejects.toThrow(
      `no proposal is called 'zipf'; there are ${proposalNames.join(', ')}`,
    );
    await expect(attempt({ kind: 'sampled', samples: 5, proposal: 'learned', head: 3 })).rejects.toThrow(
      'a head of 3 classes belongs to sampled with the unigram proposal, not to sampled with learned; leave head out',
    );
    await expect(attempt({ kind: 'sampled', samples: 5, proposal: 'unigram', head: 0.5 })).rejects.toThrow('got 0.5');
    await expect(attempt({ initialScale: -1 })).rejects.toMatchObject({ code: 'bad-option' });
    expect(backend.memory()).toEqual(before);
  });
});

describe('outputLayers', () => {
  const choices = outputLayerNames.map((kind): OutputLayerChoice => {
    const { defaults } = outputLayerOf(kind);
    const own = kind === 'factored' ? { loss: choice.loss } : kind === 'hybrid' ? { headSize: 10 } : { samples: 6 };
    return { kind, initialScale: 0.1, seed: 5, ...defaults, ...own } as OutputLayerChoice;
  });

  it.each(choices)(
    'says of $kind what the layer says of itself, and its defaults are those of the layer',
    async (made) => {
      const entry = outputLayerOf(made.kind);
      const backend = createPlainBackend();
      using explicit = await createOutputLayer(backend, sizes(40, 4), made);
      const { kind, initialScale, seed } = made;
      const required = Object.fromEntries(
        Object.entries(made).filter(([name]) => ['loss', 'headSize', 'samples', 'proposal'].includes(name)),
      );
      using implicit = await createOutputLayer(backend, sizes(40, 4), {
        kind,
        initialScale,
        seed,
        ...required,
      } as OutputLayerChoice);
      expect(implicit.state().configuration).toEqual(explicit.state().configuration);
      if (entry.losses === undefined) expect(explicit.isNormalized ? 'yes' : 'no').toBe(entry.abilities.probabilities);
      expect(entry.addClasses !== undefined).toBe(entry.abilities.addsClasses);
      for (const name of Object.keys(entry.defaults)) expect(entry.options).toContain(name);
    },
  );

  it('knows which losses of the factored layer give probabilities, and how several targets are weighted', () => {
    const { losses, abilities } = outputLayerOf('factored');
    const names = Object.keys(losses ?? {});
    expect(names).toEqual(builtInLossNames);
    const normalised = builtInLossNames.filter((name) => createBuiltInLoss(name).isNormalized);
    expect(abilities.probabilities).toBe(normalised.join(' and '));
    for (const name of names) {
      const weights = abilities.targetWeights({ ...choice, loss: { name, options: {} } });
      expect(weights).toBe(name === 'squared-error' || name === 'implicit' ? 'given' : 'shares');
    }
  });

  it('estimates steps that grow with D or do not, as it says', () => {
    const at = (kind: OutputLayerName, classes: number): number => {
      const made = choices.find((each) => each.kind === kind);
      if (made === undefined) throw new Error(`no choice of kind ${kind}`);
      return outputLayerOf(kind).cost.operations({ classes, width: 129, batch: 256 }, made);
    };
    for (const kind of ['factored', 'hybrid', 'sampled', 'nce', 'negative'] as const) {
      const growth = kind === 'hybrid' ? 'log D, in the tail' : 'not at all';
      expect(outputLayerOf(kind).cost.growth).toBe(growth);
      expect(at(kind, 1e7)).toBe(at(kind, 1e4));
    }
    expect(at('full', 1e7)).toBe(1000 * at('full', 1e4));
  });

  it('refuses over ranks the options that only one process has', () => {
    const refusals = choices.map((made) => outputLayerOf(made.kind).abilities.refusedOverRanks?.(made));
    expect(refusals.every((refusal) => refusal === undefined)).toBe(true);
    const refused = (made: OutputLayerChoice): unknown =>
      outputLayerOf(made.kind).abilities.refusedOverRanks?.(made)?.option;
    const start = { initialScale: 0.1, seed: 1 };
    expect(refused({ kind: 'full', ...start, labelSmoothing: 0.1 })).toBe('labelSmoothing');
    expect(refused({ ...choice, precondition: 1 })).toBe('precondition');
    expect(refused({ kind: 'nce', ...start, samples: 5, proposal: 'unigram', sharing: 'example' })).toBe('sharing');
  });
});

describe('trainingDefaults', () => {
  it.each(builtInLossNames)('has a start for the %s that makes a layer', async (loss) => {
    const { lossOptions, initialScale, outputRate, bodyRate } = trainingDefaults(loss);
    for (const value of [initialScale, outputRate, bodyRate]) expect(value).toBeGreaterThan(0);
    using layer = await createOutputLayer(createPlainBackend(), sizes(10, 3), {
      ...choice,
      loss: { name: loss, options: lossOptions },
      initialScale,
    });
    expect(layer.state().configuration['loss']).toEqual({ name: loss, options: lossOptions });
  });

  it.each(outputLayerNames.filter((name) => name !== 'factored'))('has a start for %s', (name) => {
    const { initialScale, outputRate, bodyRate } = trainingDefaults(name);
    for (const value of [outputRate, bodyRate]) expect(value).toBeGreaterThan(0);
    // The nodes of a Huffman tree start at 0, as in word2vec and fastText.
    if (name === 'huffman') expect(initialScale).toBe(0);
    else expect(initialScale).toBeGreaterThan(0);
  });

  it('has other rates for another update rule of the layer', () => {
    const usual = trainingDefaults('sampled');
    expect(trainingDefaults('sampled', 'sgd')).toEqual(usual);
    expect(trainingDefaults('sampled', 'adagrad')).toEqual({ ...usual, outputRate: 0.05 });
    expect(trainingDefaults('full', 'adam')).toEqual(trainingDefaults('full'));
  });

  it('names what there is when asked for another one, a name of Object.prototype included', () => {
    for (const name of ['softmax', '', 'constructor', 'toString']) {
      expect(() => trainingDefaults(name)).toThrow(
        `no loss or output layer is called '${name}'; there are the losses ${builtInLossNames.join(', ')} and the layers hybrid, full,`,
      );
    }
  });
});
