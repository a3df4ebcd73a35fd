import { createPlainBackend, write, writeRows, type Backend } from '@vastmax/linalg-core';
import { Network, NgramBody, type NgramNetwork } from '@vastmax/lm-models';
import { evaluateRanking, RankCollector, unigramBaseline } from '@vastmax/lm-models/metrics';
import { NgramBatches, RandomGenerator, Vocabulary } from '@vastmax/sparse-data';
import { createBuiltInLoss, createFactoredOutputLayer, type FactoredOutputLayer } from '@vastmax/spherical-losses';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsOf, valuesOf } from '../numbers.ts';
import { naiveTwinOf } from '../bodies/naive-ngram.ts';
import { createToyModel, toyBatches, toyTokens } from '../training/toy-language.ts';

/** 1 + how many are better + half of how many are as good. */
function naiveRank(scores: ArrayLike<number>, target: number): number {
  let rank = 1;
  for (let other = 0; other < scores.length; other++) {
    if (other === target) continue;
    if (scores[other]! > scores[target]!) rank++;
    else if (scores[other] === scores[target]) rank += 0.5;
  }
  return rank;
}

interface NaiveMetrics {
  readonly topAccuracy: Readonly<Record<number, number>>;
  readonly meanReciprocalRank: number;
}

function naiveMetrics(ranks: readonly number[]): NaiveMetrics {
  const share = (top: number): number => ranks.filter((rank) => rank <= top).length / ranks.length;
  return {
    topAccuracy: { 1: share(1), 5: share(5), 10: share(10), 50: share(50), 100: share(100) },
    meanReciprocalRank: ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length,
  };
}

describe('RankCollector', () => {
  it('counts hits and reciprocal ranks', () => {
    const collector = new RankCollector();
    for (const rank of [1, 1.5, 10, 10.5, 100, 101, 4000]) collector.add(rank);
    const metrics = collector.metrics(14, true);
    expect(metrics.examples).toBe(7);
    expect(metrics.topAccuracy).toEqual({ 1: 1 / 7, 5: 2 / 7, 10: 3 / 7, 50: 4 / 7, 100: 5 / 7 });
    expect(metrics.meanReciprocalRank).toBeCloseTo(
      (1 + 1 / 1.5 + 1 / 10 + 1 / 10.5 + 1 / 100 + 1 / 101 + 1 / 4000) / 7,
      14,
    );
    expect(metrics.loss).toBe(2);
    expect(metrics.perplexity).toBe(Math.exp(2));
  });

  it('has no perplexity where the loss is no log-probability, and no loss where there is none', () => {
    const collector = new RankCollector();
    collector.add(3);
    expect(collector.metrics(1, false)).toMatchObject({ loss: 1, perplexity: undefined });
    expect(collector.metrics(undefined, true)).toMatchObject({ loss: undefined, perplexity: undefined });
  });

  it('agrees with counting for any ranks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 2, max: 400 }), { minLength: 1 }), (halves) => {
        const ranks = halves.map((half) => half / 2);
        const collector = new RankCollector();
        for (const rank of ranks) collector.add(rank);
        const { topAccuracy, meanReciprocalRank } = collector.metrics(undefined, false);
        const expected = naiveMetrics(ranks);
        expect(topAccuracy).toEqual(expected.topAccuracy);
        expect(meanReciprocalRank).toBeCloseTo(expected.meanReciprocalRank, 12);
      }),
    );
  });
});

const words = 130;

/**
 * Small whole numbers everywhere and relu, so that scores are whole numbers, exact in any order of summation, and often
 * equal.
 */
async function createTiedModel(backend: Backend): Promise<NgramNetwork> {
  const random = new RandomGenerator(3);
  const whole = (count: number, spread: number): Float64Array =>
    Float64Array.from({ length: count }, () => random.integer(2 * spread + 1) - spread);
  const body = new NgramBody(backend, { words, order: 2, embedding: 2, hidden: [3], activation: 'relu' });
  writeRows(whole(words * 2, 2), 0, body.embeddings.table);
  for (const { value } of body.parameters.matrices) write(whole(value.rows * value.columns, 2), value);
  const output = await createFactoredOutputLayer(backend, {
    classes: words,
    features: 3,
    loss: createBuiltInLoss('squared-error'),
    initialRows: (_first, count) => whole(count * 4, 2),
  });
  const options = {
    body: body.options,
    output: { kind: 'factored', loss: { name: 'squared-error', options: {} }, initialScale: 0, seed: 1 },
  } as const;
  return new Network(options, { inputs: words, frequencies: new Float64Array(words).fill(1) }, body, output);
}

/** Scores of all classes for each example, from W as a dense matrix. */
async function denseScores(model: NgramNetwork, contexts: Int32Array): Promise<number[][]> {
  const output = model.output as FactoredOutputLayer;
  const { width, classes, features } = output;
  using dense = model.backend.createMatrix(classes, width);
  output.denseRows(0, dense);
  const weights = await valuesOf(dense);
  const hidden = (await naiveTwinOf(model.body)).forward(contexts);
  return Array.from({ length: hidden.length / features }, (_, example) =>
    Array.from({ length: classes }, (_class, c) => {
      let sum = weights[c * width + features]!;
      for (let i = 0; i < features; i++) sum += hidden[example * features + i]! * weights[c * width + i]!;
      return sum;
    }),
  );
}

function contextsOf(tokens: Int32Array, count: number): Int32Array {
  return Int32Array.from({ length: count * 2 }, (_, i) => tokens[Math.floor(i / 2) + (i % 2) - 2] ?? 0);
}

describe('evaluateRanking', () => {
  it('agrees with ranking all classes one by one, ties counting half', async () => {
    using model = await createTiedModel(createPlainBackend());
    const random = new RandomGenerator(9);
    const tokens = Int32Array.from({ length: 90 }, () => random.integer(words));
    const batches = new NgramBatches({ tokens, classes: words, order: 2, batchSize: 20, paddingId: 0, shuffle: false });
    const seen: [number, number][] = [];
    const metrics = await evaluateRanking(model, batches, {
      limit: 70,
      onProgress: (examples, total) => seen.push([examples, total]),
    });
    const scores = await denseScores(model, contextsOf(tokens, 70));
    const ranks = scores.map((row, example) => naiveRank(row, tokens[example]!));
    expect(ranks.some((rank) => rank % 1 === 0.5)).toBe(true);
    const expected = naiveMetrics(ranks);
    expect(metrics.examples).toBe(70);
    expect(metrics.topAccuracy).toEqual(expected.topAccuracy);
    expect(metrics.meanReciprocalRank).toBeCloseTo(expected.meanReciprocalRank, 12);
    const losses = scores.map((row, example) =>
      row.reduce((sum, score, c) => sum + (score - (c === tokens[example] ? 1 : 0)) ** 2, 0),
    );
    expect(metrics.loss).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 70, 3);
    expect(metrics.perplexity).toBeUndefined();
    expect(seen).toEqual([
      [20, 70],
      [40, 70],
      [60, 70],
      [70, 70],
    ]);
  });

  it('reports bands of classes apart, which together are the whole', async () => {
    using model = await createTiedModel(createPlainBackend());
    const random = new RandomGenerator(10);
    const tokens = Int32Array.from({ length: 60 }, () => random.integer(words));
    const batches = new NgramBatches({ tokens, classes: words, order: 2, batchSize: 16, paddingId: 0, shuffle: false });
    const seen: { target: number; rank: number }[] = [];
    const report = await evaluateRanking(model, batches, {
      bands: [20, 90],
      onExample: (target, rank) => seen.push({ target, rank }),
    });
    expect(seen.map(({ target }) => target)).toEqual([...tokens]);
    expect(report.bands.map(({ firstClass, lastClass }) => [firstClass, lastClass])).toEqual([
      [0, 19],
      [20, 89],
      [90, 129],
    ]);
    expect(report.bands.reduce((sum, { examples }) => sum + examples, 0)).toBe(60);
    for (const band of report.bands) {
      const own = seen
        .filter(({ target }) => target >= band.firstClass && target <= band.lastClass)
        .map(({ rank }) => rank);
      const expected = naiveMetrics(own);
      expect(band.examples).toBe(own.length);
      expect(band.topAccuracy).toEqual(expected.topAccuracy);
      expect(band.meanReciprocalRank).toBeCloseTo(expected.meanReciprocalRank, 12);
    }
    expect((await evaluateRanking(model, batches, { limit: 5 })).bands).toEqual([]);
  });

  it.each([[[0, 5]], [[5, 5]], [[7, 3]], [[130]], [[1.5]]])('refuses the bands %j', async (bands) => {
    using model = await createTiedModel(createPlainBackend());
    const batches = new NgramBatches({
      tokens: Int32Array.of(1, 2, 3),
      classes: words,
      order: 2,
      batchSize: 2,
      paddingId: 0,
    });
    await expect(evaluateRanking(model, batches, { bands })).rejects.toThrow(
      `bands must ascend from 1 to 129, got ${bands.join(', ')}`,
    );
  });

  it('ranks one epoch when no limit is given, whatever its last minibatch holds', async () => {
    using model = await createTiedModel(createPlainBackend());
    const tokens = Int32Array.from({ length: 33 }, (_, i) => (7 * i) % words);
    const batches = new NgramBatches({ tokens, classes: words, order: 2, batchSize: 16, paddingId: 0 });
    expect((await evaluateRanking(model, batches)).examples).toBe(33);
    expect(batches.cursor()).toMatchObject({ epoch: 1, position: 0 });
  });

  it('gives the perplexity of the spherical softmax: exp of the mean of −log p, p over all classes', async () => {
    using model = await createToyModel(createPlainBackend({ precision: 'f64' }), 'spherical-softmax');
    const tokens = toyTokens(50);
    const metrics = await evaluateRanking(model, toyBatches({ shuffle: false }), { limit: 50 });
    const scores = await denseScores(model, contextsOf(tokens, 50));
    let sum = 0;
    for (const [example, row] of scores.entries()) {
      const partition = row.reduce((total, score) => total + score ** 2 + 1, 0);
      sum -= Math.log((row[tokens[example]!]! ** 2 + 1) / partition);
    }
    expect(metrics.loss).toBeCloseTo(sum / 50, 10);
    expect(metrics.perplexity).toBeCloseTo(Math.exp(sum / 50), 8);
  });

  it('leaves the weights and the memory as they were, and can be aborted', async () => {
    const backend = createPlainBackend();
    using model = await createTiedModel(backend);
    const tokens = Int32Array.from({ length: 64 }, (_, i) => i);
    const batches = new NgramBatches({ tokens, classes: words, order: 2, batchSize: 16, paddingId: 0, shuffle: false });
    const first = await evaluateRanking(model, batches);
    const memory = backend.memory();
    const embeddings = await rowsOf(model.body.embeddings.table);
    expect(await evaluateRanking(model, batches)).toEqual(first);
    expect(backend.memory()).toEqual(memory);
    expect(await rowsOf(model.body.embeddings.table)).toEqual(embeddings);
    await expect(evaluateRanking(model, batches, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('unigramBaseline', () => {
  it('agrees with ranking by counts one by one, equal counts sharing the middle', () => {
    const counts = fc
      .array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 30 })
      .filter((list) => list.some((count) => count > 0));
    fc.assert(
      fc.property(counts, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), (list, draws) => {
        const sorted = list.toSorted((a, b) => b - a);
        const vocabulary = new Vocabulary({ tokens: sorted.map((_, i) => `t${i}`), counts: sorted });
        const targets = draws.map((draw) => draw % sorted.length);
        const metrics = unigramBaseline(vocabulary, targets);
        const expected = naiveMetrics(targets.map((target) => naiveRank(sorted, target)));
        expect(metrics.topAccuracy).toEqual(expected.topAccuracy);
        expect(metrics.meanReciprocalRank).toBeCloseTo(expected.meanReciprocalRank, 12);
        const total = sorted.reduce((sum, count) => sum + count, 0);
        const loss =
          targets.reduce((sum, target) => sum - Math.log(Math.max(0.5, sorted[target]!) / total), 0) / targets.length;
        expect(metrics.loss).toBeCloseTo(loss, 12);
        expect(metrics.perplexity).toBeCloseTo(Math.exp(loss), 8);
      }),
    );
  });

  it('shows a tie worked out by hand', () => {
    const vocabulary = new Vocabulary({ tokens: ['a', 'b', 'c', 'd'], counts: [4, 2, 2, 0] });
    const { topAccuracy, meanReciprocalRank, perplexity } = unigramBaseline(vocabulary, [0, 1, 2, 3]);
    expect(topAccuracy).toEqual({ 1: 0.25, 5: 1, 10: 1, 50: 1, 100: 1 });
    expect(meanReciprocalRank).toBeCloseTo((1 + 1 / 2.5 + 1 / 2.5 + 1 / 4) / 4, 14);
    expect(perplexity).toBeCloseTo((2 * 4 * 4 * 16) ** 0.25, 12);
  });
});
