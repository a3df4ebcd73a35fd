import { createMatrixFrom, type Backend } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';
import {
  createAdaptiveSoftmaxLayer,
  createFullSoftmaxLayer,
  createHierarchicalSoftmaxLayer,
  createHuffmanSoftmaxLayer,
  type SoftmaxLayer,
} from '@vastmax/softmax-losses';
import { describe, expect, it } from 'vitest';
import { createCountedBackend, type Work } from './counted-work.ts';

const m = 8;
const features = 6;
const few = 1024;
const many = 65_536;
const zipf = (classes: number): Float64Array => Float64Array.from({ length: classes }, (_, k) => 1 / (k + 1));

/** The work of three steps on the same targets, all of them among the first classes. */
async function workOf(
  create: (backend: Backend, classes: number) => Promise<SoftmaxLayer>,
  classes: number,
  targets: readonly number[],
): Promise<Work> {
  const { backend, work } = createCountedBackend();
  using layer = await create(backend, classes);
  using hidden = createMatrixFrom(
    backend,
    m,
    features,
    Float64Array.from({ length: m * features }, (_, i) => Math.sin(i * i)),
  );
  for (let step = 0; step < 3; step++)
    await layer.step(hidden, singleTargets(Int32Array.from(targets), classes), { learningRate: 0.1 });
  return work;
}

const spread = Array.from({ length: m }, (_, j) => 17 + 120 * j);

describe.each(['sgd', 'adam'])('the work of a step with %s', (name) => {
  const rule = createUpdateRule(name);

  it('grows with D for the full softmax', async () => {
    const create = (backend: Backend, classes: number): Promise<SoftmaxLayer> =>
      createFullSoftmaxLayer(backend, { classes, features, rule });
    const [small, large] = [await workOf(create, few, spread), await workOf(create, 8 * few, spread)];
    expect(large.products / small.products).toBeGreaterThan(7);
    expect(large.tableRows / small.tableRows).toBeGreaterThan(7);
  });

  it('grows with the square root of D for two levels', async () => {
    const create = (backend: Backend, classes: number): Promise<SoftmaxLayer> =>
      createHierarchicalSoftmaxLayer(backend, { classes, features, rule });
    const [small, large] = [await workOf(create, few, spread), await workOf(create, many, spread)];
    expect(large.products / small.products).toBeLessThan(1.2 * Math.sqrt(many / few));
    expect(large.tableRows / small.tableRows).toBeLessThan(1.2 * Math.sqrt(many / few));
  });

  it('grows with the code length for a Huffman tree', async () => {
    const create = (backend: Backend, classes: number): Promise<SoftmaxLayer> =>
      createHuffmanSoftmaxLayer(backend, { classes, features, rule, frequencies: zipf(classes) });
    const [small, large] = [await workOf(create, few, spread), await workOf(create, many, spread)];
    expect(large.products / small.products).toBeLessThan(2);
    expect(large.tableRows / small.tableRows).toBeLessThan(2);
  });

  it('does not depend on the tails for adaptive targets in the shortlist, nor on one tail for targets in another', async () => {
    const create = (backend: Backend, classes: number): Promise<SoftmaxLayer> =>
      createAdaptiveSoftmaxLayer(backend, { classes, features, rule, cutoffs: [100, 1000] });
    const frequent = Array.from({ length: m }, (_, j) => 11 * j);
    expect(await workOf(create, many, frequent)).toEqual(await workOf(create, few, frequent));
    expect(await workOf(create, many, spread.slice(0, -1).concat(3))).toEqual(
      await workOf(create, few, spread.slice(0, -1).concat(3)),
    );
  });
});
