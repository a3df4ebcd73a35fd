/** `bench hybrid` at a tiny size: what it reports, never how long it took. */
import { describe, expect, it } from 'vitest';
import { flatnessOf, type HybridRow, measureHybrid } from '../../src/hybrid/measure.ts';
import { hybridTables } from '../../src/hybrid/report.ts';

const silent = (): void => undefined;
const options = {
  backend: 'wasm',
  threads: 1,
  features: 8,
  batch: 4,
  head: 20,
  denseRows: 1024,
  rounds: 3,
  seconds: 1e-3,
} as const;

describe('bench hybrid', () => {
  it('has the hybrid layer first and the others beside it, the full softmax timed once and scaled', async () => {
    const report = await measureHybrid(
      { ...options, classes: [5000, 300, 2000], layers: ['factored', 'sampled', 'adaptive', 'full'] },
      silent,
    );
    expect(report.reference).toEqual({ layer: 'hybrid', classes: 300 });
    expect(report.rows.map(({ layer, classes }) => `${layer} ${classes}`)).toEqual(
      ['hybrid', 'factored', 'sampled', 'adaptive', 'full'].flatMap((layer) =>
        [300, 2000, 5000].map((classes) => `${layer} ${classes}`),
      ),
    );
    const full = report.rows.filter(({ layer }) => layer === 'full');
    expect(full.map(({ scaledFrom }) => scaledFrom)).toEqual([null, 1024, 1024]);
    expect(full[2]?.medianMs).toBeCloseTo(2.5 * (full[1]?.medianMs ?? 0), 9);
    const medians = report.rows.slice(0, 3).map(({ medianMs }) => medianMs);
    expect(report.flatness, 'all in one group').toBeCloseTo(Math.max(...medians) / Math.min(...medians), 9);
    expect(report.unavailable).toEqual([]);
    expect(hybridTables(report)).toMatch(/^\| +5,000 \| hybrid .*\|$/m);
    expect(hybridTables(report)).toContain('Flatness');
  });

  it('lists what does not fit', async () => {
    const report = await measureHybrid(
      { ...options, classes: [300, 2_000_000_000], layers: ['hybrid', 'hybrid:headSize=20', 'full'] },
      silent,
    );
    expect(report.rows.map(({ layer, classes }) => [layer, classes])).toEqual([
      ['hybrid', 300],
      ['full', 300],
      ['full', 2_000_000_000],
    ]);
    expect(report.unavailable).toMatchObject([{ layer: 'hybrid', classes: 2_000_000_000 }]);
    expect(report.flatness).toBe(1);
    expect(hybridTables(report)).toContain('Not timed: hybrid at 2,000,000,000 classes: it needs up to 200.0 GB');
  });

  it('refuses a head without a tail', async () => {
    await expect(measureHybrid({ ...options, classes: [20, 300], layers: [] }, silent)).rejects.toThrow(
      '--head 20 leaves no tail of the 20 classes of --classes; it must be at most 19',
    );
  });
});

describe('flatnessOf', () => {
  it('compares hybrid layers of different groups by the reference of each', () => {
    const row = (layer: string, medianMs: number, referenceMs: number): HybridRow => ({
      layer,
      classes: 1,
      medianMs,
      referenceMs,
      milliseconds: { median: medianMs, lowerQuartile: 0, upperQuartile: 0, minimum: 0, samples: 3 },
      scaledFrom: null,
      group: 0,
      initializationSeconds: 0,
    });
    expect(flatnessOf([row('hybrid', 10, 10), row('hybrid', 24, 20), row('sampled', 1, 10)])).toBeCloseTo(1.2, 9);
  });
});
