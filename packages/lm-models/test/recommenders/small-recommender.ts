import { createPlainBackend } from '@vastmax/linalg-core';
import { createNetwork } from '@vastmax/lm-models';
import {
  fitFactorization,
  Recommender,
  recommenderOf,
  type RecommenderName,
  type RecommenderParts,
} from '@vastmax/lm-models/recommenders';
import { columnCounts, csrFromLists, RandomGenerator, Vocabulary } from '@vastmax/sparse-data';

const items = 20;

/** Histories and held-out items of 17 users; the last has neither. */
export function smallParts(model: RecommenderName): RecommenderParts {
  const random = new RandomGenerator(3);
  const draw = (count: number): number[] => [...new Set(Array.from({ length: count }, () => random.integer(items)))];
  const histories = [...Array.from({ length: 16 }, () => draw(6)), []];
  const counts = columnCounts(csrFromLists(histories, items));
  return {
    settings: { model, ...(model === 'sasrec' ? { context: 4 } : {}) },
    users: histories.map((_, user) => `user ${user}`),
    items: new Vocabulary({
      tokens: Array.from({ length: items }, (_, item) => `item ${item}`),
      counts: [...counts].sort((a, b) => b - a),
    }),
    histories: csrFromLists(histories, items),
    heldOut: csrFromLists(
      histories.map((history, user) => (user % 4 === 3 ? [] : draw(3).filter((item) => !history.includes(item)))),
      items,
    ),
  };
}

/** With random weights. */
export async function createSmallRecommender(model: RecommenderName): Promise<Recommender> {
  const parts = smallParts(model);
  const backend = createPlainBackend({ precision: 'f64' });
  if (model === 'factorization') {
    const options = { embedding: 4, sweeps: 3, lambda: 0.01, unobservedWeight: 0.1 };
    return new Recommender(await fitFactorization(backend, parts.histories, parts.items.counts, options), parts);
  }
  const { body, defaults } = recommenderOf(model);
  const network = await createNetwork(
    backend,
    { inputs: items, frequencies: parts.items.counts },
    {
      body: body({
        embedding: 4,
        ...(model === 'session' ? { hidden: [5] } : {}),
        ...(model === 'sasrec' ? { heads: 2, context: 4 } : {}),
      }),
      output: { ...defaults.output, initialScale: 1, seed: 2 },
    },
  );
  return new Recommender(network, parts);
}
