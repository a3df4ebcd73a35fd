/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { describe, expect, it } from 'vitest';
import { measureSteadyState } from '../../src/steady-state/measure.ts';
import { steadyStateTables } from '../../src/steady-state/report.ts';

const silent = (): void => undefined;

describe('bench steady-state', () => {
  it('reports handles, heap, rebase epochs and the share of stability by loss', async () => {
    const report = await measureSteadyState(
      {
        backend: 'wasm',
        threads: 1,
        classes: 300,
        features: 8,
        batch: 4,
        losses: ['z-loss', 'squared-error'],
        steps: 300,
        warmup: 300,
      },
      silent,
    );
    expect(Object.keys(report.stabilizationShare)).toEqual(['z-loss', 'squared-error']);
    expect(report.rebases['squared-error']).toBeGreaterThan(0);
    expect(report.stabilizationShare['squared-error']).toBeGreaterThan(0);
    expect(report.stabilizationShare['squared-error']).toBeLessThan(1);
    expect(report.handlesCreated).toBe(report.rows.reduce((sum, { handlesCreated }) => sum + handlesCreated, 0));
    expect(report.heapGrowthBytes).toBe(Math.max(...report.rows.map(({ heapGrowthBytes }) => heapGrowthBytes)));
    expect(steadyStateTables(report)).toMatch(/^\| squared-error \|/m);
  });
});
