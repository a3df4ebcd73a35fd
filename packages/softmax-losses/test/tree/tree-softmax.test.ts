import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import type { LayerRequest } from '@vastmax/output-layer/suite';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createTreeSoftmaxLayer, type TreeSoftmaxLayer } from '@vastmax/softmax-losses';
import { createUpdateRule } from '@vastmax/update-rules';
import { describe, expect, it } from 'vitest';
import { logProbabilities } from '../layer/layer-kinds.ts';
import { describeSubject, readWeights, type Subject } from '../subjects.ts';
import { NaiveTwin, type NaiveModel } from '../naive-twin.ts';

/** The tree as nested lists: a node is the list of its children, each with the classes below it. */
function naiveTree(
  { classes, features }: { classes: number; features: number },
  { shortlist, fanOut, levels }: { shortlist: number; fanOut: number; levels: number },
): NaiveModel {
  const width = features + 1;
  let below = Array.from({ length: classes - shortlist }, (_, i) => [shortlist + i]);
  /** The classes below each row of each level, the leaves first. */
  const rows = [below];
  for (let level = 0; level < levels; level++) {
    const parents: number[][] = [];
    for (let first = 0; first < below.length; first += fanOut) parents.push(below.slice(first, first + fanOut).flat());
    rows.push((below = parents));
  }
  const root = [...Array.from({ length: shortlist }, (_, c) => [c]), ...(rows.pop() ?? [])];
  let at = root.length;
  const lower = rows.reverse().map((level) => {
    const offset = at;
    at += level.length;
    return { level, offset };
  });
  return {
    bias: true,
    decisions: (target) => [
      { rows: root.map((_, row) => row * width), chosen: root.findIndex((set) => set.includes(target)) },
      ...lower.flatMap(({ level, offset }) => {
        const row = level.findIndex((set) => set.includes(target));
        if (row === -1) return [];
        const first = Math.floor(row / fanOut) * fanOut;
        const siblings = level.slice(first, first + fanOut);
        return [{ rows: siblings.map((_, i) => (offset + first + i) * width), chosen: row - first }];
      }),
    ],
  };
}

const zipf = (classes: number): Float64Array => Float64Array.from({ length: classes }, (_, k) => 100 / (k + 1));

/** The root has room for 512 nodes, so that the levels of a few classes are given by `levels` rows of a fan-out. */
const sizes = { shortlist: 2, fanOut: 3 };

function subject(name: string, options: { shortlist?: number; fanOut?: number; levels: number }): Subject {
  const { levels, ...given } = options;
  return {
    name,
    create: (backend, request, rule) =>
      createTreeSoftmaxLayer(backend, {
        ...request,
        ...given,
        levels,
        frequencies: zipf(request.classes),
        initialScale: 0.3,
        rule,
      }),
    model: (request: LayerRequest) => naiveTree(request, { shortlist: 0, fanOut: 64, ...options }),
  };
}

describeSubject(subject('tree softmax of the root alone', { levels: 0 }));
describeSubject(subject('tree softmax of two levels', { fanOut: 4, levels: 1 }));
describeSubject(subject('tree softmax of four levels and a shortlist', { ...sizes, levels: 3 }));

const classes = 100;
const features = 5;

async function trained(steps: number, given: number = classes): Promise<TreeSoftmaxLayer> {
  const layer = await createTreeSoftmaxLayer(createPlainBackend({ precision: 'f64' }), {
    ...sizes,
    levels: 3,
    classes: given,
    features,
    frequencies: zipf(given),
    initialScale: 0.3,
  });
  await train(layer, steps);
  return layer;
}

async function train(layer: TreeSoftmaxLayer, steps: number): Promise<void> {
  const random = new RandomGenerator(8);
  for (let step = 0; step < steps; step++) {
    using batch = createMatrixFrom(
      layer.backend,
      6,
      features,
      Float64Array.from({ length: 6 * features }, () => random.normal()),
    );
    const targets = Int32Array.from({ length: 6 }, () => random.integer(layer.classes));
    await layer.step(batch, singleTargets(targets, layer.classes), { learningRate: 0.3 });
  }
}

describe('a trained tree softmax', () => {
  const h = [0.3, -1, 0.5, 0.2, 2];

  it('scores any range of classes by log p, and ranks by it', async () => {
    using layer = await trained(40);
    const expected = await logProbabilities(layer, [...h, ...h.toReversed()]);
    expect(expected.subarray(0, classes).reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
    using hidden = createMatrixFrom(layer.backend, 2, features, [...h, ...h.toReversed()]);
    using out = layer.backend.createMatrix(2, classes);
    for (const [first, count] of [
      [0, classes],
      [0, 1],
      [1, 2],
      [3, 4],
      [40, 27],
      [98, 2],
      [99, 1],
      [50, 0],
    ] as const) {
      layer.scores(hidden, first, out.resize(2, count));
      const scores = await read(out);
      for (let i = 0; i < 2 * count; i++) {
        const [example, k] = [Math.floor(i / count), first + (i % count)];
        expect(scores[i]).toBeCloseTo(expected[example * classes + k]!, 11);
      }
    }
    using one = createMatrixFrom(layer.backend, 1, features, h);
    const own = expected.subarray(0, classes);
    const best = [...own.keys()].sort((a, b) => own[b]! - own[a]!).slice(0, 9);
    expect([...(await topK(layer, one, 9)).classes]).toEqual(best);
  });

  it('starts from the unigram probabilities', async () => {
    using layer = await createTreeSoftmaxLayer(createPlainBackend({ precision: 'f64' }), {
      ...sizes,
      levels: 2,
      classes: 20,
      features,
      frequencies: zipf(20),
      initialScale: 0,
    });
    const total = zipf(20).reduce((sum, value) => sum + value, 0);
    const logs = await logProbabilities(layer, h);
    for (const [k, log] of logs.entries()) expect(Math.exp(log)).toBeCloseTo(100 / (k + 1) / total, 12);
  });

  it('is the same after steps as a layer of twice as many examples at half the rate', async () => {
    // Slots of one node add up: the gradient of a minibatch is that of its examples.
    using once = await trained(3);
    using twice = await trained(3);
    const before = await readWeights(once);
    using hidden = createMatrixFrom(once.backend, 1, features, h);
    using both = createMatrixFrom(twice.backend, 2, features, [...h, ...h]);
    await once.step(hidden, singleTargets(Int32Array.of(70), classes), { learningRate: 0.5 });
    await twice.step(both, singleTargets(Int32Array.of(70, 70), classes), { learningRate: 0.5 });
    const [a, b] = [await readWeights(once), await readWeights(twice)];
    expect(a).not.toEqual(before);
    for (const [i, value] of a.entries()) expect(b[i]).toBeCloseTo(value, 13);
  });

  it('creates no handle when the number of targets below the root varies', async () => {
    for (const rule of ['sgd', 'adagrad']) {
      const backend = createPlainBackend({ precision: 'f64' });
      using layer = await createTreeSoftmaxLayer(backend, {
        ...sizes,
        levels: 3,
        classes,
        features,
        rule: createUpdateRule(rule),
      });
      using hidden = createMatrixFrom(
        backend,
        4,
        features,
        Array.from({ length: 4 * features }, (_, i) => Math.sin(i)),
      );
      const of = (...targets: number[]): Promise<unknown> =>
        layer.step(hidden, singleTargets(Int32Array.from(targets), classes), { learningRate: 0.1 });
      await of(10, 30, 60, 99);
      await of(0, 1, 0, 1);
      const before = backend.memory();
      for (const targets of [
        [0, 1, 0, 30],
        [30, 31, 2, 99],
        [5, 5, 5, 5],
        [99, 99, 98, 1],
      ])
        await of(...targets);
      expect(backend.memory()).toEqual(before);
    }
  });
});

describe('addClasses', () => {
  const h = [0.3, -1, 0.5, 0.2, 2];

  it.each([1, 8, 40])('is exact, and training goes on with %s more classes', async (count) => {
    using layer = await trained(20);
    const before = await logProbabilities(layer, h);
    const random = new RandomGenerator(4);
    const values = Float64Array.from({ length: count * (features + 1) }, () => random.normal());
    layer.change('addClasses', (method) => {
      method.addClasses(values);
    });
    expect(layer.classes).toBe(classes + count);
    const model = naiveTree({ classes: classes + count, features }, { ...sizes, levels: 3 });
    const twin = new NaiveTwin(await readWeights(layer), model, features);
    const after = await logProbabilities(layer, h);
    expect(after.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 12);
    for (const [k, value] of after.entries()) expect(value).toBeCloseTo(twin.logProbability(h, k), 11);
    // Classes of other nodes than the last of each level and the root keep their probabilities relative to one another.
    expect(after[30]! - after[31]!).toBeCloseTo(before[30]! - before[31]!, 11);
    for (let step = 0; step < 30; step++) {
      using hidden = createMatrixFrom(layer.backend, 2, features, [...h, ...h.map((value) => value * Math.cos(step))]);
      const targets = singleTargets(Int32Array.of(classes + (step % count), step), layer.classes);
      await layer.step(hidden, targets, { learningRate: 0.2 });
      twin.step(Float64Array.from(await read(hidden)), targets, { learningRate: 0.2 });
    }
    for (const [i, value] of (await readWeights(layer)).entries()) expect(value).toBeCloseTo(twin.weights[i]!, 10);
  });

  it('gives the classes of new nodes a share as if each had been seen once', async () => {
    using layer = await createTreeSoftmaxLayer(createPlainBackend({ precision: 'f64' }), {
      fanOut: 3,
      levels: 2,
      classes: 9,
      features,
      frequencies: new Float64Array(9).fill(2),
      initialScale: 0,
    });
    layer.change('addClasses', (method) => {
      method.addClasses(new Float64Array(9 * (features + 1)));
    });
    const logs = await logProbabilities(layer, h);
    for (const [k, log] of logs.entries()) expect(Math.exp(log)).toBeCloseTo((k < 9 ? 2 : 1) / 27, 12);
  });

  it('refuses values that are not whole rows or not finite, and changes nothing', async () => {
    using layer = await trained(1);
    const before = await readWeights(layer);
    for (const [values, code] of [
      [new Float64Array(7), 'bad-option'],
      [new Float64Array(6).fill(Number.NaN), 'non-finite'],
    ] as const) {
      expect(() => {
        layer.change('addClasses', (method) => {
          method.addClasses(values);
        });
      }).toThrow(expect.objectContaining({ code }));
    }
    expect(layer.classes).toBe(classes);
    expect(await readWeights(layer)).toEqual(before);
  });
});
