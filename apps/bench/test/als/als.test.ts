/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { measureAls } from '../../src/als/measure.ts';
import { alsTables } from '../../src/als/report.ts';

describe('bench als', () => {
  it('has a row for a sweep and one for the fold-in, beside a product', async () => {
    const backend = createPlainBackend();
    const inUse = { name: 'plain', threads: 1, detail: 'plain f32' } as const;
    const sizes = { examples: 50, classes: 40, features: 4 };
    const report = await measureAls(backend, inUse, { ...sizes, entries: 5, rounds: 3, seconds: 60 });
    expect(report.results.map(({ what }) => what)).toEqual(['a sweep', 'fold-in of all examples']);
    expect(report.gemm.gflops).toBeGreaterThan(0);
    for (const { gflops, share, equivalentGflops, equivalentShare } of report.results) {
      expect(share).toBeCloseTo(gflops / report.gemm.gflops, 12);
      expect(equivalentShare).toBeCloseTo(equivalentGflops / report.gemm.gflops, 12);
    }
    expect(report.sizes).toMatchObject(sizes);
    expect(alsTables(report)).toMatch(/^\| a sweep +\|/m);
  });
});
