/** The default rates beside a grid, on tiny data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainBackend } from '@vastmax/linalg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateLabelsJob, readXmcJob } from '../../src/rates/label-jobs.ts';
import { measureLabelRates } from '../../src/rates/measure.ts';
import { labelRatesTables } from '../../src/rates/report.ts';

let data: string;

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'vastmax-bench-rates-'));
  mkdirSync(join(data, 'xmc'));
  const line = (i: number): string => `${i % 2},2 ${i % 2}:1 ${2 + (i % 3)}:0.5`;
  const points = Array.from({ length: 120 }, (_, i) => line(i)).join('\n');
  for (const part of ['train', 'test']) writeFileSync(join(data, 'xmc', `bibtex_${part}.txt`), `120 5 3\n${points}\n`);
});

afterAll(() => {
  rmSync(data, { recursive: true });
});

describe('bench rates', () => {
  it('compares the defaults with the best of the tries, and counts what diverges as worst', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    const report = await measureLabelRates(
      { backend, seed: 1, seconds: undefined, show: () => undefined },
      [await readXmcJob(data, 'bibtex', 1)],
      {
        layers: ['full', 'squared-error'],
        tries: [
          { output: 1, body: 1 },
          { output: 1e12, body: 1 },
        ],
        evaluate: 50,
      },
    );
    const [full, squared] = report.rows;
    expect(full).toMatchObject({ job: 'bibtex', layer: 'full', outputRule: 'sgd', ratio: 1 });
    expect(full?.default.precisionAt1).toBe(1);
    expect(squared?.tried[1]?.precisionAt1).toBeNull();
    expect(labelRatesTables(report)).toContain('| bibtex | full');
  });

  it('has the job of generated labels, with lines held out of training', async () => {
    const job = await generateLabelsJob(
      {
        labels: 30,
        lines: 60,
        testLines: 10,
        words: 40,
        wordsPerLine: 5,
        ownWords: 3,
        ownShare: 0.7,
        labelExponent: 1.2,
      },
      1,
    );
    expect(job.train.points.targets.rows).toBe(60);
    const parts = [job.tuning.train.rows, job.tuning.test.rows].flatMap((rows) => [...(rows ?? [])]);
    expect(parts.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, row) => row));
    expect(job.tuning.test.rows).toHaveLength(3);
  });
});
