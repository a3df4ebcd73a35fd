import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createHybridOutputLayer, type HybridOutputLayer, type HybridOutputLayerOptions } from '@vastmax/hybrid-layer';
import { createMatrixFrom, createPlainBackend, read, type Backend } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import { describeOutputLayer, type LayerRequest } from '@vastmax/output-layer/suite';
import { csrFromLists, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { taylorSoftmax } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { tailPrior } from '../src/create-tails.ts';
import { createDenseTwin, denseLogProbabilities, readDenseWeights, type TwinOptions } from './dense-twin.ts';
import { expectNoNewHandles } from './expect-no-new-handles.ts';

const zipf = (classes: number): Float64Array =>
  Float64Array.from({ length: classes }, (_, k) => Math.ceil((10 * classes) / (k + 1)));
const headSizeOf = (classes: number): number => Math.max(1, Math.floor(classes / 3));

function optionsFor({ classes, features, seed }: LayerRequest, tail: TwinOptions['tail']): HybridOutputLayerOptions {
  return {
    features,
    seed,
    frequencies: zipf(classes),
    headSize: headSizeOf(classes),
    initialScale: 0.3,
    headRate: 0.5,
    tailRate: 2,
    tail: 'spherical',
    ...(tail === 'taylor' ? { tailLoss: () => taylorSoftmax() } : {}),
  };
}

function twinOptions(
  { classes, features }: { classes: number; features: number },
  tail: TwinOptions['tail'],
): TwinOptions {
  const headSize = headSizeOf(classes);
  return {
    headSize,
    features,
    tail,
    headRate: 0.5,
    tailRate: 2,
    prior: tailPrior(zipf(classes), headSize, classes, 0.75),
  };
}

for (const tail of ['spherical', 'taylor'] as const) {
  describeOutputLayer<HybridOutputLayer>({
    name: `hybrid with a ${tail} tail`,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) => createHybridOutputLayer(backend, optionsFor(request, tail)),
    reference: {
      readWeights: readDenseWeights,
      createTwin: (weights, request) => createDenseTwin(weights, twinOptions(request, tail)),
    },
  });
}

const classes = 60;
const features = 4;

async function trained(backend: Backend, steps: number): Promise<HybridOutputLayer> {
  const layer = await createHybridOutputLayer(backend, optionsFor({ classes, features, seed: 3 }, 'spherical'));
  const random = new RandomGenerator(8);
  for (let step = 0; step < steps; step++) {
    using batch = createMatrixFrom(
      backend,
      6,
      features,
      Float64Array.from({ length: 6 * features }, () => random.normal()),
    );
    const targets = singleTargets(
      Int32Array.from({ length: 6 }, () => random.integer(classes)),
      classes,
    );
    await layer.step(batch, targets, { learningRate: 0.2 });
  }
  return layer;
}

describe('a trained hybrid layer', () => {
  it('is a distribution over all classes, whose logs are the losses', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await trained(backend, 30);
    const h = [0.3, -1, 0.5, 0.2];
    const expected = denseLogProbabilities(
      await readDenseWeights(layer),
      h,
      twinOptions({ classes, features }, 'spherical'),
    );
    expect(expected.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
    using hidden = createMatrixFrom(backend, classes, features, Array.from({ length: classes }, () => h).flat());
    const losses = await read(
      await layer.evaluate(
        hidden,
        singleTargets(
          Int32Array.from({ length: classes }, (_, k) => k),
          classes,
        ),
      ),
    );
    for (const [k, value] of expected.entries()) expect(losses[k]).toBeCloseTo(-value, 11);
  });

  it('scores ranges, single classes and the best alike, head and tail in one order', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await trained(backend, 30);
    const h = [0.3, -1, 0.5, 0.2];
    const expected = denseLogProbabilities(
      await readDenseWeights(layer),
      h,
      twinOptions({ classes, features }, 'spherical'),
    );
    using hidden = createMatrixFrom(backend, 1, features, h);
    using out = backend.createMatrix(1, classes);
    layer.scores(hidden, 0, out);
    const scores = await read(out);
    const offset = scores[0]! - expected[0]!;
    for (const [k, value] of expected.entries()) expect(scores[k]! - offset).toBeCloseTo(value, 10);
    for (const [first, count] of [
      [0, 20],
      [19, 2],
      [20, 40],
      [45, 15],
    ] as const) {
      layer.scores(hidden, first, out.resize(1, count));
      for (const [i, value] of (await read(out)).entries()) expect(value).toBeCloseTo(scores[first + i]!, 12);
    }
    using many = createMatrixFrom(backend, 4, features, [...h, ...h, ...h, ...h]);
    using column = backend.createMatrix(4, 1);
    layer.classScores(many, Int32Array.of(59, 3, 20, 19), column);
    expect([...(await read(column))].map((value) => value.toFixed(10))).toEqual(
      [59, 3, 20, 19].map((k) => scores[k]!.toFixed(10)),
    );
    const best = [...expected.keys()].sort((a, b) => expected[b]! - expected[a]!).slice(0, 8);
    expect([...(await topK(layer, hidden, 8)).classes]).toEqual(best);
  });

  it('trains on the wasm backend as in f64', async () => {
    using exact = await trained(createPlainBackend({ precision: 'f64' }), 60);
    using fast = await trained(await createWasmBackend(), 60);
    const [expected, got] = [await readDenseWeights(exact), await readDenseWeights(fast)];
    for (const [i, value] of expected.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(2e-5);
  });

  it('creates no handle when the number of tail examples varies', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await trained(backend, 0);
    const warmUps = [
      // Distinct and repeated.
      [30, 40, 50, 59],
      [30, 30, 30, 30],
      [1, 2, 3, 4],
    ];
    await expectNoNewHandles(layer, warmUps, [
      [0, 1, 2, 30],
      [30, 31, 2, 3],
      [5, 5, 5, 5],
      [59, 59, 59, 59],
      [1, 33, 34, 35],
    ]);
  });

  it('is refused as a whole when one part diverges', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await trained(backend, 3);
    const before = await readDenseWeights(layer);
    // The tail's outputs overflow when squared; the head's logits are large and finite.
    using huge = createMatrixFrom(backend, 1, features, [1e200, 0, 0, 0]);
    await expect(
      layer.step(huge, singleTargets(Int32Array.of(40), classes), { learningRate: 0.1 }),
    ).rejects.toMatchObject({ code: 'diverged' });
    expect(await readDenseWeights(layer)).toEqual(before);
    using fine = createMatrixFrom(backend, 1, features, [1, 0, 0, 0]);
    await layer.step(fine, singleTargets(Int32Array.of(40), classes), { learningRate: 0.1 });
  });

  it('takes several weighted targets on both sides of the border', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await trained(backend, 10);
    const expected = denseLogProbabilities(
      await readDenseWeights(layer),
      [1, 2, 3, 4],
      twinOptions({ classes, features }, 'spherical'),
    );
    using hidden = createMatrixFrom(backend, 1, features, [1, 2, 3, 4]);
    const targets = csrFromLists([[2, 25, 50, 25]], classes, [[0.5, 1, 2, 3]]);
    const [loss] = await read(await layer.evaluate(hidden, targets));
    expect(loss).toBeCloseTo(-(0.5 * expected[2]! + 4 * expected[25]! + 2 * expected[50]!), 10);
  });
});

describe('a hybrid layer with several tails', () => {
  const options: HybridOutputLayerOptions = {
    features,
    frequencies: zipf(classes),
    headSize: 12,
    tailCutoffs: [25, 45],
    tail: 'spherical',
    initialScale: 0.4,
    seed: 6,
    headRate: 0.5,
    tailRate: 2,
  };

  describeOutputLayer<HybridOutputLayer>({
    name: 'hybrid with two tails',
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) =>
      createHybridOutputLayer(backend, {
        ...optionsFor(request, 'spherical'),
        headSize: 2,
        tailCutoffs: [Math.ceil(request.classes / 2)],
      }),
  });

  it('is a distribution, and scores all classes in the order of their probabilities', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createHybridOutputLayer(backend, options);
    const h = [0.3, -1, 0.5, 0.2];
    using batch = createMatrixFrom(backend, 3, features, [...h, ...h, 1, 2, 1, -1]);
    for (let step = 0; step < 20; step++) {
      await layer.step(batch, csrFromLists([[3, 30], [13, 59], [44]], classes, [[1, 2], [1, 1], [0.5]]), {
        learningRate: 0.2,
      });
    }
    using hidden = createMatrixFrom(backend, classes, features, Array.from({ length: classes }, () => h).flat());
    const all = Int32Array.from({ length: classes }, (_, k) => k);
    const losses = await read(await layer.evaluate(hidden, singleTargets(all, classes)));
    expect(Array.from(losses).reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 12);
    using one = createMatrixFrom(backend, 1, features, h);
    using out = backend.createMatrix(1, classes);
    layer.scores(one, 0, out);
    const scores = await read(out);
    using column = backend.createMatrix(classes, 1);
    layer.classScores(hidden, all, column);
    const each = await read(column);
    for (let k = 0; k < classes; k++) {
      expect(scores[k]! - scores[0]!).toBeCloseTo(losses[0]! - losses[k]!, 10);
      expect(each[k]).toBeCloseTo(scores[k]!, 11);
    }
    layer.scores(one, 10, out.resize(1, 40));
    for (const [i, value] of (await read(out)).entries()) expect(value).toBeCloseTo(scores[10 + i]!, 12);
  });

  it.each([[[12]], [[25, 25]], [[30, 20]], [[60]]])('refuses the cutoffs %j', async (tailCutoffs) => {
    await expect(createHybridOutputLayer(createPlainBackend(), { ...options, tailCutoffs })).rejects.toThrow(
      'tailCutoffs must ascend from 13 to 59',
    );
  });
});

describe('createHybridOutputLayer', () => {
  it('starts from the prior: the head at the unigram, the tail at its power', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const frequencies = zipf(classes);
    using layer = await createHybridOutputLayer(backend, {
      features,
      frequencies,
      headSize: 20,
      initialScale: 0,
      tail: 'spherical',
    });
    using hidden = createMatrixFrom(backend, 2, features, [1, 2, 3, 4, 4, 3, 2, 1]);
    const losses = await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(2, 41), classes)));
    const total = frequencies.reduce((sum, count) => sum + count, 0);
    expect(losses[0]).toBeCloseTo(-Math.log(frequencies[2]! / total), 12);
    const tail = frequencies.subarray(20);
    const powers = tail.map((count) => count ** 0.75);
    const share = tail.reduce((sum, count) => sum + count, 0) / total;
    expect(losses[1]).toBeCloseTo(-Math.log((share * powers[21]!) / powers.reduce((sum, value) => sum + value, 0)), 12);
  });

  it.each<[options: Partial<HybridOutputLayerOptions>, code: string, message: string]>([
    [{ headSize: 60 }, 'bad-option', 'headSize must be a whole number from 1 to 59, got 60'],
    [{ headSize: 0 }, 'bad-option', 'headSize must be a whole number from 1 to 59, got 0'],
    [{ frequencies: [5] }, 'bad-option', 'at least two classes'],
    [{ frequencies: undefined as never }, 'bad-option', 'frequencies must be an array of how often each class occurs'],
    [{ frequencies: 60 as never }, 'bad-option', 'in descending order, got 60'],
    [{ tailLoss: taylorSoftmax() as never }, 'bad-option', 'tailLoss must be a function of the prior'],
    [{ tailLoss: () => taylorSoftmax as never }, 'bad-option', 'write loss: taylorSoftmax()'],
    [{ headRule: 'sgd' as never }, 'bad-option', "createUpdateRule('sgd')"],
    [{ frequencies: [5, 6] }, 'bad-option', 'frequencies rise from 5 at class 0 to 6 at class 1'],
    [{ frequencies: [5, NaN] }, 'non-finite', 'the frequency of class 1 is NaN'],
    [{ tail: 'flat' as never }, 'bad-option', "tail must be 'tree' or 'spherical', got 'flat'"],
    [{ fanOut: 8 }, 'bad-option', 'fanOut is an option of a tree tail, and the tail is spherical'],
    [
      { tail: 'tree', priorPower: 1 },
      'bad-option',
      'priorPower is an option of a spherical tail, and the tail is tree',
    ],
    [{ tail: 'tree', fanOut: 1 }, 'bad-option', 'fanOut must be a whole number from 2'],
    [{ tailRate: -1 }, 'bad-option', 'tailRate must be a finite number of at least 0, got -1'],
    [
      { tailLoss: () => ({ ...taylorSoftmax(), name: 'mine', isNormalized: false }) },
      'bad-option',
      "the tail's loss mine gives no probabilities",
    ],
  ])('refuses %j', async (options, code, message) => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const attempt = createHybridOutputLayer(backend, {
      features,
      frequencies: zipf(classes),
      tail: 'spherical',
      ...options,
    });
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(backend.memory()).toEqual(before);
  });
});
