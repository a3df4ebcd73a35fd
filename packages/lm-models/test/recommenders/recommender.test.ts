import { createMemoryStorage, openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { Tape } from '@vastmax/autodiff';
import { createPlainBackend, read } from '@vastmax/linalg-core';
import { Trainer } from '@vastmax/lm-models';
import { MultiLabelCollector } from '@vastmax/lm-models/metrics';
import {
  evaluateRecommender,
  fitFactorization,
  loadRecommender,
  Recommender,
  recommenderContent,
  recommenderNameOf,
  recommenderNames,
  recommenderOf,
  trainedRecommenderNames,
  type RecommenderName,
  type TrainedRecommenderName,
} from '@vastmax/lm-models/recommenders';
import { csrFromLists, type CsrRows } from '@vastmax/sparse-data';
import { fitAlternating } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { createSmallRecommender, smallParts } from './small-recommender.ts';

const listOf = ({ offsets, indices }: CsrRows, row: number): number[] => [
  ...indices.subarray(offsets[row], offsets[row + 1]),
];

/** All items but those of the history, by their scores. */
async function rankedFor(recommender: Recommender, history: readonly number[]): Promise<number[]> {
  const { network, entry, settings, items } = recommender;
  const hidden = entry.computeHidden(network, csrFromLists([history], items.size), settings);
  using out = network.backend.createMatrix(1, items.size);
  network.output.scores(hidden, 0, out);
  const scores = await read(out);
  return [...items.tokens.keys()]
    .filter((item) => !history.includes(item))
    .sort((a, b) => scores[b]! - scores[a]! || a - b);
}

describe.each(recommenderNames.map((name) => [name]))('%s', (model: RecommenderName) => {
  it('ranks all items that a user has not, as sorting does', async () => {
    using recommender = await createSmallRecommender(model);
    const { histories, items } = recommender;
    const some = csrFromLists([listOf(histories, 0), [4], listOf(histories, 2)], items.size);
    const best = await recommender.recommend(some, { k: 6 });
    for (const [row, list] of best.entries()) {
      const expected = await rankedFor(recommender, listOf(some, row));
      expect(list.map(({ item }) => item)).toEqual(expected.slice(0, 6).map((item) => items.tokenOf(item)));
    }
    const all = await recommender.recommend(some, { k: 100 });
    expect(all.map(({ length }) => length)).toEqual([0, 1, 2].map((row) => items.size - listOf(some, row).length));
  });

  it('is evaluated as each user is ranked', async () => {
    using recommender = await createSmallRecommender(model);
    const { histories, heldOut, users } = recommender;
    const {
      model: found,
      popularity,
      itemNeighbors,
    } = await evaluateRecommender(recommender, { histories, targets: heldOut }, { ks: [3, 10] });
    const collector = new MultiLabelCollector({ ks: [3, 10] });
    for (const user of users.keys()) {
      const targets = listOf(heldOut, user);
      if (targets.length === 0 || listOf(histories, user).length === 0) continue;
      collector.add(await rankedFor(recommender, listOf(histories, user)), targets);
    }
    const expected = collector.metrics();
    expect(found.examples).toBe(expected.examples);
    for (const [at, { recall, ndcg, averagePrecision }] of expected.atK.entries()) {
      expect(found.atK[at]!.recall).toBeCloseTo(recall, 12);
      expect(found.atK[at]!.ndcg).toBeCloseTo(ndcg, 12);
      expect(found.atK[at]!.averagePrecision).toBeCloseTo(averagePrecision, 12);
    }
    expect([popularity.examples, itemNeighbors.examples]).toEqual([found.examples, found.examples]);
    const none = await evaluateRecommender(recommender, { histories, targets: histories });
    expect(none.model.examples).toBe(0);
  });

  it('comes back from a checkpoint with all that it knows', async () => {
    using recommender = await createSmallRecommender(model);
    const { configuration, modules, texts } = recommenderContent(recommender);
    const storage = createMemoryStorage();
    await writeCheckpoint(storage, {
      configuration: { ...configuration, model: { ...recommender.network.options } as never },
      modules: { ...recommender.network.modules(), ...modules },
      texts,
    });
    await using checkpoint = await openCheckpoint(storage);
    expect(recommenderNameOf(checkpoint.configuration)).toBe(model);
    using loaded = await loadRecommender(createPlainBackend({ precision: 'f64' }), checkpoint);
    expect(loaded.users).toEqual(recommender.users);
    expect(loaded.items.tokens).toEqual(recommender.items.tokens);
    expect(loaded.histories).toEqual(recommender.histories);
    expect(loaded.heldOut).toEqual(recommender.heldOut);
    expect(loaded.settings).toEqual(recommender.settings);
    expect(loaded.rowOf('user 5')).toBe(5);
    const known = loaded.knownHistories([5]);
    expect(listOf(known, 0)).toEqual([...listOf(loaded.histories, 5), ...listOf(loaded.heldOut, 5)]);
    expect(await loaded.recommend(known, { k: 4 })).toEqual(await recommender.recommend(known, { k: 4 }));
    expect(loaded.rowOf('user 99')).toBeUndefined();

    const damaged = (changed: object): unknown =>
      loadRecommender(createPlainBackend(), { ...checkpoint, ...changed, module: (name) => checkpoint.module(name) });
    await expect(
      damaged({ text: (name: string) => (name === 'users.json' ? '["a"]' : checkpoint.text(name)) }),
    ).rejects.toMatchObject({ code: 'bad-json' });
    await expect(
      damaged({ configuration: { ...checkpoint.configuration, exampleSettings: { model, window: 1e9 } } }),
    ).rejects.toMatchObject({ code: 'state-mismatch' });
  });
});

describe.each(trainedRecommenderNames.map((name) => [name]))('%s', (model: TrainedRecommenderName) => {
  it('learns', async () => {
    using recommender = await createSmallRecommender(model);
    const { network, histories, settings } = recommender;
    const { batches } = recommenderOf(model).trainingBatches(
      histories,
      { batchSize: 8, seed: 1, targetWeights: 'given' },
      settings,
    );
    using trainer = new Trainer(network, batches, {
      bodyRate: 0.01,
      outputRate: 0.1,
      optimizer: 'adam',
      schedule: 'constant',
      examples: 40 * batches.examplesPerEpoch,
    });
    const losses: number[] = [];
    for await (const event of trainer.run()) if (event.type === 'progress') losses.push(event.loss);
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
  });
});

describe('factorization', () => {
  it('is alternating least squares, told of after each sweep, and gone on with bit for bit', async () => {
    const { histories, items } = smallParts('factorization');
    const backend = createPlainBackend();
    const options = { embedding: 4, lambda: 0.02 };
    using fit = await fitAlternating(backend, histories, {
      features: 4,
      epochs: 3,
      unobservedWeight: 0.01,
      lambda: 0.02,
      penaltyCounts: 'entries',
    });
    using expected = await fit.foldIn(histories);
    const told: number[] = [];
    using network = await fitFactorization(backend, histories, items.counts, {
      ...options,
      sweeps: 3,
      afterSweep: async (current, sweep) => {
        told.push(sweep);
        if (sweep > 1) return;
        using rest = await fitFactorization(backend, histories, items.counts, { sweeps: 2, start: current });
        expect([...(await read(rest.computeHidden({ inputs: histories })))]).toEqual([...(await read(expected))]);
      },
    });
    expect(told).toEqual([1, 2]);
    expect([...(await read(network.computeHidden({ inputs: histories })))]).toEqual([...(await read(expected))]);
    expect(() => network.body.forward(new Tape(backend), { inputs: histories }, { training: true })).toThrow(
      'a fold-in model is fitted by fitFactorization, not trained by minibatches',
    );
    await expect(fitFactorization(backend, histories, items.counts, { sweeps: 0 })).rejects.toThrow('got 0');
  });
});

describe('a recommender', () => {
  it('refuses rows that do not fit its names, and an unknown model', async () => {
    using recommender = await createSmallRecommender('autoencoder');
    const parts = smallParts('autoencoder');
    expect(() => new Recommender(recommender.network, { ...parts, users: ['a'] })).toThrow(
      'histories are of 17 users and 20 items, the names of 1 and 20',
    );
    expect(() => recommenderOf('magic')).toThrow(
      `no recommender is called 'magic'; there are ${recommenderNames.join(', ')}`,
    );
  });
});
