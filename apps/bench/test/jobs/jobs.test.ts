/** The jobs on tiny data: what they report, and that a model which can learn them has. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { createPlainBackend } from '@vastmax/linalg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobsReport } from '../../src/jobs/measure.ts';
import { measureMoby, mobySettings } from '../../src/jobs/moby.ts';
import { measureRecurrent } from '../../src/jobs/recurrent.ts';
import { jobsTables } from '../../src/jobs/report.ts';
import { readSynonymSets } from '../../src/jobs/synonym-sets.ts';
import type { JobContext } from '../../src/jobs/train-to-the-end.ts';
import { measureWords, wordsSettings } from '../../src/jobs/words.ts';
import { measureXmc, xmcSettings } from '../../src/jobs/xmc.ts';
import type { BackendInUse } from '../../src/measurement/backend-choice.ts';
import { describeMachine } from '../../src/reporting/machine.ts';

const inUse: BackendInUse = { name: 'plain', threads: 1, detail: 'plain' };
let data: string;
let context: JobContext;

/** Two groups of words; a set holds most of its group. */
function thesaurus(): string {
  const lines: string[] = [];
  for (const group of ['a', 'b']) {
    const words = Array.from({ length: 12 }, (_, i) => `${group}${i}`);
    for (const [i, word] of words.entries())
      lines.push([word, ...words.filter((_, j) => j !== i && j !== (i + 5) % 12)].join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Labels 0 and 1 follow from the features 0 and 1, label 2 is everywhere. */
function labelledPoints(points: number): string {
  const line = (i: number): string => `${i % 2},2 ${i % 2}:1 ${2 + (i % 3)}:0.5`;
  return `${points} 5 3\n${Array.from({ length: points }, (_, i) => line(i)).join('\n')}\n`;
}

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'vastmax-jobs-'));
  for (const folder of ['moby', 'xmc', 'word-similarity', 'wikitext-2']) mkdirSync(join(data, folder));
  writeFileSync(join(data, 'moby/words.txt.br'), brotliCompressSync(thesaurus()));
  writeFileSync(join(data, 'xmc/bibtex_train.txt'), labelledPoints(60));
  writeFileSync(join(data, 'xmc/bibtex_test.txt'), labelledPoints(20));
  writeFileSync(join(data, 'xmc/delicious_train.txt'), labelledPoints(80));
  writeFileSync(
    join(data, 'word-similarity/men-3k.txt'),
    'war\tpeace\t40\nThe\tof\t20\nwar\tzyxwv\t1\nnation\tpeople\t30\n',
  );
  writeFileSync(join(data, 'word-similarity/wordsim-353.txt'), 'war\tpeace\t4\nnation\tpeople\t3\nthe\tof\t2\n');
  writeFileSync(
    join(data, 'wikitext-2/wiki.train.tokens'),
    'the war of the nation\nthe peace of the people\n'.repeat(60),
  );
  writeFileSync(
    join(data, 'wikitext-2/wiki.valid.tokens'),
    'the peace of the nation\nthe war of the people\n'.repeat(10),
  );
  context = { backend: createPlainBackend(), data, seed: 1, seconds: undefined, show: () => undefined };
});

afterAll(() => {
  rmSync(data, { recursive: true });
});

function tablesOf(job: JobsReport['jobs'][number]): string {
  return jobsTables({
    bench: 'jobs',
    machine: describeMachine(),
    backend: inUse,
    seed: 1,
    jobs: [job],
    rows: [],
    peakMemoryBytes: 1e9,
  });
}

describe('the job moby', () => {
  it('hides a fifth of each set, never its own word, and reads lines that end as on Windows', async () => {
    const { pairs, words, known, hidden } = await readSynonymSets(join(data, 'moby/words.txt.br'), 1);
    expect([pairs, words, known.rows]).toEqual([240, 24, 24]);
    for (let row = 0; row < 24; row++) {
      const [shown, guessed] = [known, hidden].map(({ offsets, indices }) => [
        ...indices.subarray(offsets[row], offsets[row + 1]),
      ]);
      expect([shown?.length, guessed?.length], 'ten synonyms, two of them hidden, and the word itself').toEqual([9, 2]);
      expect(new Set([...(shown ?? []), ...(guessed ?? [])]).size).toBe(11);
    }
  });

  it('completes sets better than by popularity', async () => {
    const result = await measureMoby(context, {
      ...mobySettings,
      embedding: 8,
      epochs: 60,
      batch: 8,
      bodyRate: 0.01,
      evaluate: 20,
      nearest: 5,
    });
    expect(result).toMatchObject({
      job: 'moby',
      sets: 24,
      words: 24,
      pairs: 240,
      evaluatedSets: 20,
      trained: { examples: 1440 },
    });
    expect(result.highestPrecisionAt10).toBeCloseTo(0.2, 12);
    const [model, neighbors, popularity] = result.rows;
    // Three words of a group are not shown, two of them hidden: whoever knows the groups has 2 of 5.
    expect(model?.precisionAt5).toBeGreaterThan(0.3);
    expect(neighbors?.precisionAt5).toBeCloseTo(0.4, 12);
    expect(popularity?.precisionAt5).toBeLessThan(0.25);
    for (const { precisionAt10 } of result.rows) expect(precisionAt10).toBeLessThanOrEqual(0.2 + 1e-12);
    expect(tablesOf(result)).toMatch(/^\| set-kNN of 5 /m);
  });
});

describe('the job xmc', () => {
  it('tries rates on the training points alone and goes on when one diverges', async () => {
    const layers = [
      {
        name: 'full softmax',
        output: { kind: 'full', initialScale: 0.01, seed: 0 },
        rates: [1, 0.001],
        targetWeights: 'shares',
      },
      {
        name: 'squared-error',
        output: {
          kind: 'factored',
          loss: { name: 'squared-error', options: { targetValue: 1 } },
          initialScale: 0.001,
          seed: 0,
        },
        rates: [1e30],
        targetWeights: 'given',
      },
    ] as const;
    const result = await measureXmc(context, {
      ...xmcSettings,
      embedding: 6,
      epochs: { bibtex: 30, delicious: 2 },
      batch: 8,
      bodyRate: 0.05,
      layers,
    });
    expect(
      result.dataSets.map(({ name, trainPoints, testPoints, features, labels }) => [
        name,
        trainPoints,
        testPoints,
        features,
        labels,
      ]),
    ).toEqual([
      ['bibtex', 60, 20, 5, 3],
      ['delicious', expect.any(Number), 80 - (result.dataSets[1]?.trainPoints ?? 0), 5, 3],
    ]);
    const [full, squared, popularity] = result.dataSets[0]?.rows ?? [];
    expect(full?.tried.map(({ outputRate }) => outputRate)).toEqual([1, 0.001]);
    expect(full?.outputRate).toBe(
      full?.tried.toSorted((a, b) => (b.precisionAt1 ?? 0) - (a.precisionAt1 ?? 0))[0]?.outputRate,
    );
    expect(full?.atK[0]?.precision).toBe(1);
    expect(squared).toEqual({
      name: 'squared-error',
      outputRate: null,
      tried: [{ outputRate: 1e30, precisionAt1: null }],
      trained: null,
      atK: [],
    });
    expect(popularity?.atK[0], 'the label that is everywhere').toMatchObject({ k: 1, precision: 1, ndcg: 1 });
    expect(tablesOf(result)).toMatch(/^\| squared-error .* diverged .*1e\+30: diverged +\|$/m);
  });
});

describe('the job words', () => {
  it('compares trained vectors with those that were drawn, over the same pairs', async () => {
    const models = wordsSettings.models.slice(0, 2).map((model) => ({ ...model, epochs: 1 }));
    const result = await measureWords({ ...context, seconds: 0.2 }, { ...wordsSettings, embedding: 4, models });
    expect(result.rows.map(({ name, trained }) => [name, trained === null])).toEqual([
      ['as drawn', true],
      ...models.map(({ name }) => [name, false]),
    ]);
    for (const { similarities } of result.rows) {
      expect(similarities.map(({ file, covered, pairs }) => [file, covered, pairs])).toEqual([
        ['MEN', 3, 4],
        ['WordSim-353', 3, 3],
      ]);
      for (const { correlation } of similarities) expect(Math.abs(correlation)).toBeLessThanOrEqual(1);
    }
    expect(result.corpus.words).toBeGreaterThan(10_000);
    expect(tablesOf(result)).toContain('MEN 3 of 4 (75.0 %)');
  });
});

describe('the job recurrent', () => {
  it('is the bench quality of each model', async () => {
    const sizes = { order: 2, embedding: 4, hidden: [5], batch: 8 } as const;
    const result = await measureRecurrent(context, inUse, {
      layers: 'full,z-loss',
      examples: 400,
      budgetSeconds: 0.05,
      evaluate: 40,
      models: [sizes, { ...sizes, sequences: { model: 'gru', steps: 4, bodyRate: 0.01 } }],
    });
    expect(result.reports.map(({ rows }) => rows.map(({ name, setting }) => `${name} ${setting}`))).toEqual(
      Array.from({ length: 2 }, () => [
        'full equal-examples',
        'full equal-time',
        'z-loss equal-examples',
        'z-loss equal-time',
      ]),
    );
    expect(result.reports.map(({ model }) => model)).toEqual([
      { order: 2, embedding: 4, hidden: [5], batch: 8 },
      { cell: 'gru', steps: 4, embedding: 4, hidden: [5], batch: 8 },
    ]);
    expect(
      result.reports[1]?.rates.map(({ bodyRate }) => bodyRate),
      'of Adam',
    ).toEqual([0.01, 0.01]);
    for (const { rows } of result.reports) for (const { metrics } of rows) expect(metrics?.top10).toBeGreaterThan(0.3);
    expect(tablesOf(result)).toContain('words of 4, gru layers of 5, 4 steps of 2 streams, Adam for the body, rates');
  });
});

it('says which file is missing', async () => {
  await expect(measureMoby({ ...context, data: join(data, 'xmc') })).rejects.toThrow(
    'has neither moby/words.txt nor words.txt, plain, .br or .gz',
  );
  await expect(measureMoby({ ...context, data: join(data, 'nowhere') })).rejects.toThrow('nowhere is no folder');
});
