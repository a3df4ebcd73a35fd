/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { describe, expect, it } from 'vitest';
import { bodyFlops, measureAttention } from '../../src/attention/measure.ts';
import { attentionTables } from '../../src/attention/report.ts';

describe('bench attention', () => {
  it('has a row for each backend', async () => {
    const sizes = { threads: 1, batch: 2, length: 5, width: 8, layers: 1, heads: 2 };
    const report = await measureAttention({ ...sizes, backends: ['plain'], rounds: 3 }, () => undefined);
    expect(report.rows).toEqual([
      expect.objectContaining({ ...sizes, backend: 'plain', gemmCeilingShare: expect.any(Number) as number }),
    ]);
    expect(report.rows[0]?.medianMs).toBeGreaterThan(0);
    expect(attentionTables(report)).toMatch(/^\| plain +\| +1 \|/m);
  });

  it('counts the operations of the products', () => {
    // One position sees itself: 4 projections, two of 4d, and a dot product and a multiple of d numbers each.
    expect(bodyFlops(1, 1, 2, 1)).toBe(3 * (2 * (4 * 4 + 2 * 8 * 2) + 2 * 2 * 2));
  });
});
