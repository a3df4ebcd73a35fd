import { createPlainBackend } from '@vastmax/linalg-core';
import { RandomGenerator, NgramBatches, SequenceBatches, SparseBatches, csrFromLists } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { createNetwork } from '../../src/network/create-network.ts';
import type { NetworkOf, NetworkOptions } from '../../src/network/network-options.ts';
import type { TrialScores } from '../../src/rates/network-trials.ts';
import {
  rateNames,
  rateSearchCost,
  ratesToSearch,
  searchCoordinates,
  searchRates,
  type Rates,
} from '../../src/rates/rate-search.ts';
import { Trainer } from '../../src/training/trainer.ts';
import type { TrainingOptions } from '../../src/training/training-types.ts';

/** Scores that fall with the distance of log rates from the best ones; undefined above a limit. */
function trialsWithBest(best: Rates, limit = Infinity): (rates: Rates) => Promise<TrialScores | undefined> {
  return ({ outputRate, bodyRate }) => {
    const distance = Math.abs(Math.log(outputRate / best.outputRate)) + Math.abs(Math.log(bodyRate / best.bodyRate));
    const reciprocalRanks = Float64Array.from({ length: 8 }, (_, i) => 1 / (1 + i + distance));
    return Promise.resolve(outputRate > limit ? undefined : { reciprocalRanks, losses: undefined });
  };
}

const start = { outputRate: 1, bodyRate: 10 };

describe('searchCoordinates', () => {
  it('keeps a default that no trial surpasses', async () => {
    const { rates, tried } = await searchCoordinates(trialsWithBest(start), {
      start,
      search: ['outputRate', 'bodyRate'],
      limit: 20,
    });
    expect(rates).toEqual(start);
    expect(tried.map(({ outputRate, bodyRate }) => [outputRate, bodyRate])).toEqual([
      [1, 10],
      [4, 10],
      [0.25, 10],
      [1, 40],
      [1, 2.5],
    ]);
  });

  it('goes on while it helps, and takes the geometric mean of the default and the best', async () => {
    const { rates, tried } = await searchCoordinates(trialsWithBest({ outputRate: 1 / 16, bodyRate: 10 }), {
      start,
      search: ['outputRate'],
      limit: 20,
    });
    expect(tried.map(({ outputRate }) => outputRate)).toEqual([1, 4, 0.25, 0.0625, 0.015625]);
    expect(rates).toEqual({ outputRate: 0.25, bodyRate: 10 });
  });

  it('leaves a rate alone that is not to be searched', async () => {
    const { rates, tried } = await searchCoordinates(trialsWithBest({ outputRate: 64, bodyRate: 160 }), {
      start,
      search: ['bodyRate'],
      limit: 20,
    });
    expect(rates).toEqual({ outputRate: 1, bodyRate: 40 });
    expect(new Set(tried.map(({ outputRate }) => outputRate))).toEqual(new Set([1]));
  });

  it('takes the best as it is where the default diverges, and looks at lower rates only', async () => {
    const { rates, tried } = await searchCoordinates(trialsWithBest({ outputRate: 0.001, bodyRate: 10 }, 0.1), {
      start,
      search: ['outputRate'],
      limit: 20,
    });
    expect(tried.map(({ outputRate, meanReciprocalRank }) => [outputRate, meanReciprocalRank === undefined])).toEqual([
      [1, true],
      [0.25, true],
      [0.0625, false],
      [0.015625, false],
    ]);
    expect(rates.outputRate).toBe(0.015625);
  });

  it('lets a diverging trial lose', async () => {
    const { rates } = await searchCoordinates(trialsWithBest({ outputRate: 64, bodyRate: 10 }, 5), {
      start,
      search: ['outputRate'],
      limit: 20,
    });
    expect(rates.outputRate).toBe(2);
  });

  it('lets losses decide where ranks are equal, and a difference within the noise not at all', async () => {
    const reciprocalRanks = new Float64Array(4).fill(0.5);
    const byLoss = (losses: (rate: number) => readonly number[]): Promise<{ readonly rates: Rates }> =>
      searchCoordinates(
        ({ outputRate }) => Promise.resolve({ reciprocalRanks, losses: Float64Array.from(losses(outputRate)) }),
        { start, search: ['outputRate'], limit: 3 },
      );
    expect((await byLoss((rate) => [1, 2, 3, 4].map((loss) => loss / rate))).rates.outputRate).toBe(4);
    const noisy = await byLoss((rate) => (rate === 1 ? [1, 1, 1, 1] : [2, 0, 1.9, -0.2]));
    expect(noisy.rates).toEqual(start);
  });

  it('makes no more trials than it may', async () => {
    const { tried } = await searchCoordinates(trialsWithBest({ outputRate: 1e-9, bodyRate: 10 }), {
      start,
      search: ['outputRate', 'bodyRate'],
      limit: 3,
    });
    expect(tried).toHaveLength(3);
  });
});

describe('a search whose time is over', () => {
  it('keeps the default after one trial', async () => {
    const { rates, tried } = await searchCoordinates(trialsWithBest({ outputRate: 64, bodyRate: 10 }), {
      start,
      search: ['outputRate'],
      limit: 20,
      isOver: () => true,
    });
    expect([rates, tried.length]).toEqual([start, 1]);
  });
});

describe('ratesToSearch', () => {
  it('are those whose scale depends on the job', () => {
    const full = { kind: 'full', initialScale: 0.01, seed: 1 };
    expect(ratesToSearch(full, { optimizer: 'sgd' })).toEqual(['outputRate', 'bodyRate']);
    expect(ratesToSearch(full, { optimizer: 'adam' })).toEqual(['outputRate']);
    expect(ratesToSearch({ ...full, rule: { name: 'adagrad' } } as typeof full, { optimizer: 'momentum' })).toEqual([
      'bodyRate',
    ]);
    expect(ratesToSearch(ngram.output, { optimizer: 'sgd' })).toEqual(['bodyRate']);
  });
});

describe('rateSearchCost', () => {
  it('is a tenth of a long run at most, and nothing for a short one', () => {
    expect(rateSearchCost({ examples: 256 * 8160 }, 256)).toEqual({ trials: 10, steps: 81, heldOutBatches: 4 });
    expect(rateSearchCost({ examples: 1e9 }, 256, ['outputRate'])?.steps).toBe(100);
    expect(rateSearchCost({ examples: 64 * 400 }, 64, ['outputRate'])?.steps).toBe(20);
    expect(rateSearchCost({ examples: 64 * 399 }, 64, ['outputRate'])).toBeUndefined();
    expect(rateSearchCost({ examples: 1e9 }, 64, [])).toBeUndefined();
  });
});

const words = 40;
/** The next word is mostly the last one plus 1 or 2. */
function text(length: number): Int32Array {
  const random = new RandomGenerator(5);
  const tokens = new Int32Array(length);
  for (let i = 1; i < length; i++)
    tokens[i] =
      random.uniform() < 0.2
        ? Math.floor(words * random.uniform() ** 3)
        : (tokens[i - 1]! + 1 + Math.floor(2 * random.uniform())) % words;
  return tokens;
}
const drawn = text(8000);
const countOf = (word: number): number => drawn.filter((each) => each === word).length;
/** By falling frequency, as some layers need their classes. */
const order = Array.from({ length: words }, (_, word) => word).sort((a, b) => countOf(b) - countOf(a));
const tokens = drawn.map((word) => order.indexOf(word));
const counts = Float64Array.from(order, countOf);

const ngram = {
  body: { kind: 'ngram', order: 2, embedding: 6, hidden: [8], seed: 1 },
  output: { kind: 'factored', loss: { name: 'z-loss', options: { a: 0.1, b: 5 } }, initialScale: 0.01, seed: 1 },
} as const;
const ngrams = (): NgramBatches =>
  new NgramBatches({ tokens, classes: words, order: 2, batchSize: 10, paddingId: 0, seed: 1 });
const training: TrainingOptions = {
  outputRate: 1,
  bodyRate: 1,
  optimizer: 'sgd',
  schedule: 'linear',
  examples: 8000,
};

async function searchedNgrams(
  changes: Partial<TrainingOptions>,
  options: NetworkOptions<'ngram'> = ngram,
): ReturnType<typeof searchRates> {
  const backend = createPlainBackend({ precision: 'f32' });
  using network = await createNetwork(backend, { inputs: words, frequencies: counts }, options);
  return await searchRates(network, ngrams(), { ...training, ...changes }, { search: rateNames });
}

describe('searchRates', () => {
  it('is the same every time, and takes none that diverge', async () => {
    // A squared error has a highest stable rate, which the Z-loss has not.
    const loss = { name: 'squared-error', options: { targetValue: 1 } };
    const options: NetworkOptions<'ngram'> = { ...ngram, output: { ...ngram.output, loss } };
    const search = (): ReturnType<typeof searchRates> => searchedNgrams({ outputRate: 1000, bodyRate: 0.1 }, options);
    const found = await search();
    expect(found?.tried[0]).toMatchObject({ outputRate: 1000, meanReciprocalRank: undefined });
    expect(found?.rates.outputRate).toBeLessThan(100);
    expect(await search()).toEqual(found);
  });

  it('finds a better rate than one that is far too low', async () => {
    const found = await searchedNgrams({ outputRate: 1e-4 });
    expect(found?.rates.outputRate).toBeGreaterThan(1e-4);
    const [first] = found?.tried ?? [];
    const best = Math.max(...(found?.tried ?? []).map(({ meanReciprocalRank = 0 }) => meanReciprocalRank));
    expect(best).toBeGreaterThan(first?.meanReciprocalRank ?? 1);
  });

  it('leaves the network and the minibatches as they were', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const weightsAfter = async (isSearched: boolean): Promise<number[]> => {
      using network: NetworkOf<'ngram'> = await createNetwork(backend, { inputs: words, frequencies: counts }, ngram);
      const batches = ngrams();
      if (isSearched) await searchRates(network, batches, training);
      using trainer = new Trainer(network, batches, { ...training, examples: 500 });
      for await (const event of trainer.run()) void event;
      const table = network.body.embeddings.table;
      const state = network.body.state().tensors.find(({ rows }) => rows === table.rows);
      return [...((await state?.read(0, words)) ?? [])];
    };
    expect(await weightsAfter(true)).toEqual(await weightsAfter(false));
  });

  it('ends with what the signal throws, between trials and within them', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using network = await createNetwork(backend, { inputs: words, frequencies: counts }, ngram);
    for (const when of [0, 2]) {
      const controller = new AbortController();
      const search = searchRates(network, ngrams(), training, {
        signal: controller.signal,
        onProgress: ({ tried }) => {
          if (tried.length === when) controller.abort(new Error('enough'));
        },
      });
      await expect(search).rejects.toThrow('enough');
    }
  });

  it('reads minibatches of streams and of several labels, and keeps options that count classes', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    const sizes = { inputs: words, frequencies: counts };
    using recurrent = await createNetwork(backend, sizes, {
      body: { kind: 'recurrent', cell: 'gru', embedding: 4, hidden: [5], seed: 1 },
      output: { kind: 'hybrid', headSize: 30, cutoffs: [35, 38], initialScale: 0.01, seed: 1 },
    });
    const sequences = new SequenceBatches({ tokens, classes: words, streams: 5, steps: 2, paddingId: 0 });
    const ofSequences = await searchRates(recurrent, sequences, { ...training, bodyRate: 0.1, outputRate: 0.1 });
    expect(ofSequences?.tried.every(({ loss }) => loss !== undefined)).toBe(true);

    const lists = Array.from({ length: 2000 }, (_, i) => [tokens[i]!, tokens[i + 1]!]);
    using labels = await createNetwork(backend, sizes, {
      body: { kind: 'bag', embedding: 6, seed: 1 },
      output: { kind: 'full', initialScale: 0.01, seed: 1 },
    });
    const batches = new SparseBatches({
      inputs: csrFromLists(lists, words),
      targets: csrFromLists(
        lists.map((_, i) => (i % 7 === 0 ? [] : [tokens[i + 2]!, tokens[i + 3]!])),
        words,
      ),
      batchSize: 10,
      seed: 1,
      targetWeights: 'shares',
    });
    const ofLabels = await searchRates(labels, batches, { ...training, bodyRate: 0.1 }, { search: ['outputRate'] });
    expect(ofLabels?.tried.length).toBeGreaterThan(2);
    expect(ofLabels?.rates.bodyRate).toBe(0.1);
  });
});
