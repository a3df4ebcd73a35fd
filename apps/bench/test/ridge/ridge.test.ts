/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { measureRidge } from '../../src/ridge/measure.ts';
import { ridgeTables } from '../../src/ridge/report.ts';

describe('bench ridge', () => {
  it('has a row for the products and for each kind of fit, and gives everything back', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const inUse = { name: 'plain', threads: 1, detail: 'plain f32' } as const;
    const sizes = { examples: 50, labels: 40, features: 3, targets: 2 };
    const report = await measureRidge(backend, inUse, { ...sizes, rounds: 3, seconds: 60 });
    expect(report.results).toHaveLength(5);
    expect(report.results[0]).toMatchObject({ what: 'the products HᵀH and VᵀV, by gemm', ratio: 1 });
    expect(report.results.every(({ ratio }) => ratio > 0)).toBe(true);
    expect(report.sizes).toEqual(sizes);
    expect(backend.memory()).toEqual(before);
    expect(ridgeTables(report)).toMatch(/^\| one pass, and the layer +\|/m);
  });
});
