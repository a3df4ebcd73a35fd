/** The jobs of recommending, on data small enough to know what is right. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainBackend } from '@vastmax/linalg-core';
import { csrFromLists } from '@vastmax/sparse-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gowallaSettings, measureGowalla } from '../../src/jobs/recommend/gowalla.ts';
import { itemNeighbors, mostPopular } from '../../src/jobs/recommend/item-neighbors.ts';
import { rankItems } from '../../src/jobs/recommend/rank-items.ts';
import { readItemLists } from '../../src/jobs/recommend/read-lines.ts';
import { measureSports, readSports, sportsSettings } from '../../src/jobs/recommend/sports.ts';
import { lastItemTransitions } from '../../src/jobs/recommend/transitions.ts';
import type { JobContext } from '../../src/jobs/train-to-the-end.ts';

let data: string;
let context: JobContext;

/** Two kinds of users, of items 0 to 9 and 10 to 19; a user lacks two of its kind, which are asked for. */
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'recommend-'));
  mkdirSync(join(data, 'recommend'));
  const users = Array.from({ length: 40 }, (_, user) => {
    const kind = 10 * (user % 2);
    const items = Array.from({ length: 10 }, (_each, i) => kind + ((i + user) % 10));
    return { user, known: items.slice(0, 7), valid: items.slice(7, 8), hidden: items.slice(8) };
  });
  const file = (name: string, part: 'known' | 'valid' | 'hidden'): void => {
    const lines = users.map((each) => `${each.user} ${each[part].join(' ')}\n`);
    writeFileSync(join(data, 'recommend', name), lines.join(''));
  };
  file('gowalla_train.txt', 'known');
  file('gowalla_valid.txt', 'valid');
  file('gowalla_test.txt', 'hidden');
  // Each item is followed by the next.
  const sequences = Array.from({ length: 60 }, (_, user) =>
    [user + 1, ...Array.from({ length: 5 }, (_each, i) => 1 + ((user + i) % 12))].join(' '),
  );
  writeFileSync(join(data, 'recommend', 'sports.txt'), sequences.join('\n'));
  context = { backend: createPlainBackend(), data, seed: 1, seconds: undefined, show: () => undefined };
});

afterAll(() => {
  rmSync(data, { recursive: true });
});

describe('the job gowalla', () => {
  it('finds the items of the same kind that are left', async () => {
    const { users, items, trainingPairs, testPairs, rows } = await measureGowalla(context, {
      ...gowallaSettings,
      nearest: 9,
      alternating: [{ features: 2, epochs: 8, unobservedWeight: 0.1, lambda: 0.001, penaltyCounts: 'all' }],
      autoencoder: { embedding: 8, batch: 8, shown: 0.7, epochs: 2 },
    });
    expect({ users, items, trainingPairs, testPairs }).toEqual({
      users: 40,
      items: 20,
      trainingPairs: 320,
      testPairs: 80,
    });
    expect(rows.map(({ model }) => model).slice(0, 3)).toEqual([
      'popularity',
      'item-kNN of 9',
      'alternating least squares, d = 2',
    ]);
    expect(rows).toHaveLength(3 + gowallaSettings.autoencoders.length);
    // Fewer than 20 items are left, so all of them are found, and only their order counts.
    for (const { recall20 } of rows.slice(0, 3)) expect(recall20).toBeCloseTo(1, 12);
    expect(rows[1]!.ndcg20).toBeGreaterThan(rows[0]!.ndcg20 ?? 1);
    expect(rows[2]!.ndcg20).toBeCloseTo(1, 12);
  }, 60_000);

  it('measures what is asked for, on the validation items too', async () => {
    const wants = (model: string): boolean => model === 'popularity';
    const { trainingPairs, testPairs, rows } = await measureGowalla({ ...context, wants, validation: true });
    expect([trainingPairs, testPairs, rows.length]).toEqual([280, 40, 1]);
  });

  it('counts recall by all test items and gain by at most twenty', async () => {
    const wanted = csrFromLists([Array.from({ length: 40 }, (_, i) => i), [], [3]], 50);
    const seen = csrFromLists([[], [], [7]], 50);
    const { recall20, ndcg20 } = await rankItems(seen, wanted, (users, left, k) => {
      expect([...users]).toEqual([0, 2]);
      expect([...left.indices]).toEqual([7]);
      return Promise.resolve(Array.from({ length: 2 * k }, (_, i) => (i < k ? i : i === k + 1 ? 3 : 49)));
    });
    expect(recall20).toBeCloseTo((20 / 40 + 1) / 2, 12);
    expect(ndcg20).toBeCloseTo((1 + 1 / Math.log2(3)) / 2, 12);
  });

  it('knows the nearest and the most frequent items', async () => {
    const sets = csrFromLists([[0, 1], [0, 1, 2], [2, 3], [2]], 4);
    const users = Int32Array.of(0);
    const seen = csrFromLists([[0]], 4);
    expect([...((await itemNeighbors(sets, 2)(users, seen, 2)) as Int32Array)]).toEqual([1, 2]);
    expect([...((await mostPopular(sets)(users, seen, 2)) as Int32Array)]).toEqual([2, 1]);
  });

  it('names the line that is wrong', async () => {
    const path = join(data, 'bad.txt');
    writeFileSync(path, '0 1 2\n1 x\n');
    await expect(readItemLists(path)).rejects.toThrow(/bad\.txt, line 2: a user and items are expected/);
  });
});

describe('the job sports', () => {
  it('leaves the last item out, and for tuning the one before', async () => {
    const { known, last } = await readSports(data, 0);
    expect([known.rows, known.indices.length, last.length]).toEqual([60, 240, 60]);
    const tuning = await readSports(data, 1);
    expect([...tuning.last.slice(0, 2)]).toEqual([4, 5]);
  });

  it('predicts what follows', async () => {
    const { rows } = await measureSports(context, {
      ...sportsSettings,
      nextItem: { embedding: 8, before: 3, batch: 16 },
      session: { embedding: 8, hidden: 8, streams: 8, steps: 4 },
      sasrec: { embedding: 8, layers: 1, heads: 1, context: 4, dropout: 0, batch: 32 },
      epochs: 2,
    });
    expect(rows.map(({ model, loss }) => `${model} ${loss}`.trim()).slice(0, 3)).toEqual([
      'popularity',
      'last-item transitions',
      'next-item implicit, exact',
    ]);
    expect(rows).toHaveLength(2 + sportsSettings.models.length);
    expect(rows[1]!.hr5).toBe(1);
    for (const { hr5, hr10 } of rows.slice(2)) expect(hr10).toBeGreaterThanOrEqual(hr5 ?? 1);
  }, 60_000);

  it('falls back on the frequent where nothing followed', async () => {
    const best = lastItemTransitions(
      csrFromLists(
        [
          [0, 1],
          [0, 2],
          [0, 2, 3],
        ],
        5,
      ),
    );
    const found = await best(Int32Array.of(0, 1), csrFromLists([[1, 0], [3]], 5), 3);
    expect([...(found as Int32Array)]).toEqual([2, 3, 4, 0, 2, 1]);
  });
});
