import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createHybridOutputLayer, type HybridOutputLayer, type HybridOutputLayerOptions } from '@vastmax/hybrid-layer';
import { createMatrixFrom, createPlainBackend, read, type Backend } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import { describeOutputLayer, type LayerRequest } from '@vastmax/output-layer/suite';
import { csrFromLists, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';
import { describe, expect, it } from 'vitest';
import { createTreeTwin, readTreeWeights, treeLogProbability, type TreeTwinOptions } from './tree-twin.ts';
import { expectNoNewHandles } from './expect-no-new-handles.ts';

const zipf = (classes: number): Float64Array =>
  Float64Array.from({ length: classes }, (_, k) => Math.ceil((10 * classes) / (k + 1)));
const headSizeOf = (classes: number): number => Math.max(1, Math.floor(classes / 3));
const rates = { headRate: 0.5, tailRate: 2 };

/** The root of a tail has room for 512 nodes: of few classes a tree has levels only where they are asked for. */
function optionsFor(
  { classes, features, seed }: LayerRequest,
  fanOut: number,
  levels: number,
): HybridOutputLayerOptions {
  return {
    features,
    seed,
    frequencies: zipf(classes),
    headSize: headSizeOf(classes),
    initialScale: 0.3,
    shortlist: Math.floor(classes / 10),
    fanOut,
    levels,
    ...rates,
  };
}

function twinOptions(
  { classes, features }: { classes: number; features: number },
  fanOut: number,
  levels: number,
): TreeTwinOptions {
  return {
    headSize: headSizeOf(classes),
    classes,
    features,
    shortlist: Math.floor(classes / 10),
    fanOut,
    levels,
    ...rates,
  };
}

for (const [fanOut, levels] of [
  [64, 0],
  [3, 2],
] as const) {
  describeOutputLayer<HybridOutputLayer>({
    name: `hybrid with a tree of ${levels + 1} levels`,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) => createHybridOutputLayer(backend, optionsFor(request, fanOut, levels)),
    reference: {
      readWeights: readTreeWeights,
      createTwin: (weights, request) => createTreeTwin(weights, twinOptions(request, fanOut, levels)),
    },
  });
}

const classes = 60;
const features = 4;
const h = [0.3, -1, 0.5, 0.2];
const [fanOut, levels] = [3, 2];
const twin = twinOptions({ classes, features }, fanOut, levels);

async function create(backend: Backend, options: Partial<HybridOutputLayerOptions> = {}): Promise<HybridOutputLayer> {
  return createHybridOutputLayer(backend, {
    ...optionsFor({ classes, features, seed: 3 }, fanOut, levels),
    ...options,
  });
}

async function train(layer: HybridOutputLayer, steps: number): Promise<HybridOutputLayer> {
  const random = new RandomGenerator(8);
  for (let step = 0; step < steps; step++) {
    using batch = createMatrixFrom(
      layer.backend,
      6,
      features,
      Float64Array.from({ length: 6 * features }, () => random.normal()),
    );
    const targets = Int32Array.from({ length: 6 }, () => random.integer(layer.classes));
    await layer.step(batch, singleTargets(targets, layer.classes), { learningRate: 0.2 });
  }
  return layer;
}

describe('a trained hybrid layer with a tree', () => {
  it('is a distribution, whose logs are the losses, and scores all classes in one order', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await train(await create(backend), 30);
    const weights = await readTreeWeights(layer);
    const expected = Array.from({ length: classes }, (_, k) => treeLogProbability(weights, h, k, twin));
    expect(expected.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
    using hidden = createMatrixFrom(backend, classes, features, Array.from({ length: classes }, () => h).flat());
    const all = Int32Array.from({ length: classes }, (_, k) => k);
    const losses = await read(await layer.evaluate(hidden, singleTargets(all, classes)));
    using one = createMatrixFrom(backend, 1, features, h);
    using out = backend.createMatrix(1, classes);
    layer.scores(one, 0, out);
    const scores = await read(out);
    using column = backend.createMatrix(classes, 1);
    layer.classScores(hidden, all, column);
    const each = await read(column);
    for (const [k, value] of expected.entries()) {
      expect(losses[k]).toBeCloseTo(-value, 11);
      expect(scores[k]! - scores[0]!).toBeCloseTo(value - expected[0]!, 10);
      expect(each[k]).toBeCloseTo(scores[k]!, 11);
    }
    const best = [...expected.keys()].sort((a, b) => expected[b]! - expected[a]!).slice(0, 8);
    expect([...(await topK(layer, one, 8)).classes]).toEqual(best);
  });

  it('starts from the unigram probabilities, in the head and in the tail', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await create(backend, { initialScale: 0 });
    using hidden = createMatrixFrom(backend, 2, features, [...h, ...h]);
    const losses = await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(2, 41), classes)));
    const total = zipf(classes).reduce((sum, count) => sum + count, 0);
    expect(losses[0]).toBeCloseTo(-Math.log(zipf(classes)[2]! / total), 12);
    expect(losses[1]).toBeCloseTo(-Math.log(zipf(classes)[41]! / total), 12);
  });

  it('trains on the wasm backend as in f64', async () => {
    using exact = await train(await create(createPlainBackend({ precision: 'f64' })), 60);
    using fast = await train(await create(await createWasmBackend()), 60);
    const [expected, got] = [await readTreeWeights(exact), await readTreeWeights(fast)];
    for (const [i, value] of expected.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(2e-5);
  });

  it('takes several weighted targets on both sides of the border', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await train(await create(backend), 10);
    const weights = await readTreeWeights(layer);
    const logOf = (target: number): number => treeLogProbability(weights, h, target, twin);
    using hidden = createMatrixFrom(backend, 1, features, h);
    const targets = csrFromLists([[2, 25, 50, 25]], classes, [[0.5, 1, 2, 3]]);
    const [loss] = await read(await layer.evaluate(hidden, targets));
    expect(loss).toBeCloseTo(-(0.5 * logOf(2) + 4 * logOf(25) + 2 * logOf(50)), 10);
  });

  it('creates no handle when the number of tail examples varies', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await create(backend);
    const warmUps = [
      [30, 40, 50, 59],
      [1, 2, 3, 4],
    ];
    await expectNoNewHandles(layer, warmUps, [
      [0, 1, 2, 30],
      [30, 31, 2, 3],
      [5, 5, 5, 5],
      [59, 59, 59, 59],
    ]);
  });

  it('stays finite and normalised in f32 over many steps at the default rates', async () => {
    const backend = await createWasmBackend();
    using layer = await create(backend, { headRate: 2, tailRate: 6 });
    await train(layer, 3000);
    using hidden = createMatrixFrom(backend, classes, features, Array.from({ length: classes }, () => h).flat());
    const all = Int32Array.from({ length: classes }, (_, k) => k);
    const losses = await read(await layer.evaluate(hidden, singleTargets(all, classes)));
    expect(Array.from(losses).reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 5);
  });

  it('takes rules of its own for the head and for the tree, and goes on after a restored state', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const rules = { headRule: createUpdateRule('adagrad'), tailRule: createUpdateRule('adagrad') };
    using layer = await train(await create(backend, rules), 10);
    using other = await create(backend, rules);
    await other.restore(layer.state());
    await train(layer, 5);
    await train(other, 5);
    expect(await readTreeWeights(other)).toEqual(await readTreeWeights(layer));
  });

  it('refuses the state of a spherical tail', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await create(backend);
    using spherical = await createHybridOutputLayer(backend, {
      features,
      frequencies: zipf(classes),
      headSize: headSizeOf(classes),
      tail: 'spherical',
    });
    const before = await readTreeWeights(layer);
    await expect(layer.restore(spherical.state())).rejects.toMatchObject({ code: 'state-mismatch' });
    expect(await readTreeWeights(layer)).toEqual(before);
  });
});

describe('addClasses', () => {
  it('adds the rarest classes to a tree, exactly, and training goes on with them', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await train(await create(backend), 10);
    using hidden = createMatrixFrom(backend, 1, features, h);
    const lossOf = async (target: number): Promise<number> =>
      (await read(await layer.evaluate(hidden, singleTargets(Int32Array.of(target), layer.classes))))[0]!;
    const before = await lossOf(5);
    const added = 20;
    layer.addClasses(Float64Array.from({ length: added * (features + 1) }, (_, i) => Math.sin(i)));
    expect(layer.classes).toBe(classes + added);
    expect(await lossOf(5)).toBe(before);
    const options = { ...twin, classes: classes + added };
    const start = await readTreeWeights(layer);
    const dense = createTreeTwin(start, options);
    let sum = 0;
    for (let target = 0; target < classes + added; target++) {
      const loss = await lossOf(target);
      sum += Math.exp(-loss);
      expect(loss).toBeCloseTo(-treeLogProbability(start, h, target, options), 11);
    }
    expect(sum).toBeCloseTo(1, 12);
    for (let step = 0; step < 20; step++) {
      const targets = singleTargets(Int32Array.of(classes + step), layer.classes);
      await layer.step(hidden, targets, { learningRate: 0.2 });
      dense.step(Float64Array.from(h), targets, { learningRate: 0.2 });
    }
    for (const [i, value] of (await readTreeWeights(layer)).entries()) expect(value).toBeCloseTo(dense.weights[i]!, 11);
  });

  it('adds classes with their constants to a spherical tail', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createHybridOutputLayer(backend, {
      features,
      frequencies: zipf(classes),
      headSize: 20,
      tail: 'spherical',
    });
    layer.addClasses(new Float64Array(2 * (features + 1)), [0.5, 0.25]);
    expect(layer.classes).toBe(62);
    using hidden = createMatrixFrom(backend, 62, features, Array.from({ length: 62 }, () => h).flat());
    const all = Int32Array.from({ length: 62 }, (_, k) => k);
    const losses = await read(await layer.evaluate(hidden, singleTargets(all, 62)));
    expect(Array.from(losses).reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 12);
  });
});
