import { createPlainBackend, read } from '@vastmax/linalg-core';
import { createNetwork, type BagNetwork } from '@vastmax/lm-models';
import { evaluateMultiLabel, MultiLabelCollector, popularityBaseline } from '@vastmax/lm-models/metrics';
import { csrFromLists, RandomGenerator, SparseBatches, type CsrRows } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';

const items = 25;
const random = new RandomGenerator(6);
const draw = (count: number): number[] => [...new Set(Array.from({ length: count }, () => random.integer(items)))];
const shown = Array.from({ length: 23 }, () => draw(5));
const hidden = shown.map((list) => draw(4).filter((item) => !list.includes(item)));
const frequencies = Float64Array.from({ length: items }, (_, i) => ((7 * i) % 11) + 1);

function createItemNetwork(): Promise<BagNetwork> {
  return createNetwork(
    createPlainBackend({ precision: 'f64' }),
    { inputs: items, frequencies },
    { body: { kind: 'bag', embedding: 4, embeddingScale: 1 }, output: { kind: 'full', initialScale: 1, seed: 3 } },
  );
}
const batches = (): SparseBatches =>
  new SparseBatches({
    inputs: csrFromLists(shown, items),
    targets: csrFromLists(hidden, items),
    batchSize: 7,
    shuffle: false,
  });
const exclude = ({ inputs }: { readonly inputs: CsrRows }): CsrRows => inputs;
const ks = [1, 4];

/** Sorting all classes of each example. */
function collect(
  scoresOf: (example: number) => ArrayLike<number>,
  examples: number,
  excluded: boolean,
): MultiLabelCollector {
  const collector = new MultiLabelCollector({ ks });
  for (let example = 0; example < examples; example++) {
    const scores = scoresOf(example);
    const ranked = Array.from({ length: items }, (_, i) => i)
      .filter((i) => !excluded || !shown[example]!.includes(i))
      .sort((a, b) => scores[b]! - scores[a]! || a - b);
    collector.add(ranked, hidden[example]!);
  }
  return collector;
}

describe('evaluateMultiLabel', () => {
  it.each([true, false])('agrees with sorting all classes, known ones excluded: %s', async (excluded) => {
    using network = await createItemNetwork();
    const body = network.computeHidden({ inputs: csrFromLists(shown, items) });
    using all = network.backend.createMatrix(shown.length, items);
    network.output.scores(body, 0, all);
    const scores = await read(all);
    const losses = await read(await network.output.evaluate(body, csrFromLists(hidden, items)));
    const seen: number[] = [];
    const report = await evaluateMultiLabel(network, batches(), {
      ks,
      ...(excluded ? { exclude } : {}),
      onProgress: (examples) => seen.push(examples),
    });
    const { loss, ...metrics } = report;
    expect(metrics).toEqual(
      collect((example) => scores.subarray(example * items, (example + 1) * items), shown.length, excluded).metrics(),
    );
    expect(loss).toBeCloseTo(Array.from(losses).reduce((sum, value) => sum + value, 0) / shown.length, 12);
    expect(seen).toEqual([7, 14, 21, 23]);
  });

  it('stops at its limit and when told to, and changes nothing', async () => {
    using network = await createItemNetwork();
    const first = await evaluateMultiLabel(network, batches(), { ks, limit: 10 });
    const memory = network.backend.memory();
    expect(await evaluateMultiLabel(network, batches(), { ks, limit: 10 })).toEqual(first);
    expect(network.backend.memory()).toEqual(memory);
    expect(first.examples).toBe(hidden.slice(0, 10).filter((list) => list.length > 0).length);
    await expect(evaluateMultiLabel(network, batches(), { ks, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('popularityBaseline', () => {
  it.each([true, false])('gives everybody the most frequent classes, known ones excluded: %s', async (excluded) => {
    const { loss, ...metrics } = await popularityBaseline(frequencies, batches(), {
      ks,
      ...(excluded ? { exclude } : {}),
    });
    expect(loss).toBeUndefined();
    expect(metrics).toEqual(collect(() => frequencies, shown.length, excluded).metrics());
  });
});
