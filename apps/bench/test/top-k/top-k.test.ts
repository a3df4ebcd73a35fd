/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { measureTopK } from '../../src/top-k/measure.ts';
import { topKTables } from '../../src/top-k/report.ts';

describe('bench top-k', () => {
  it('has rows for both data sets, each exact, and says what it could not measure', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const inUse = { name: 'plain', threads: 1, detail: 'plain f32' } as const;
    const sizes = { vectors: 1500, width: 6, k: 4, queries: 5, effort: 10, rivalVectors: 100 };
    const shown: string[] = [];
    const options = { ...sizes, trainSeconds: 0.1, rounds: 3, seconds: 1 };
    const report = await measureTopK(backend, inUse, options, (stage) => shown.push(stage));
    expect(report.rows.map(({ data, method, queries }) => `${data} ${method} ${queries}`)).toEqual(
      ['trained', 'random'].flatMap((data) =>
        ['bounds 1', 'scan 1', 'reading 8 bits 1', 'scan 5', 'product 5'].map((method) => `${data} ${method}`),
      ),
    );
    for (const { method, recall, medianMs, scanMs } of report.rows) {
      if (method === 'bounds' || method === 'scan') expect(recall).toBe(1);
      expect(medianMs).toBeGreaterThan(0);
      expect(scanMs).toBeGreaterThan(0);
    }
    expect(report.notes).toEqual([expect.stringContaining('--hnswlib')]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(backend.memory()).toEqual(before);
    expect(topKTables(report)).toMatch(/^\| random +\| +1500 \|/m);
  });
});
