/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { describe, expect, it } from 'vitest';
import { measureScaling } from '../../src/scaling/measure.ts';
import { scalingTables } from '../../src/scaling/report.ts';

const silent = (): void => undefined;
const layer = {
  backend: 'wasm',
  threads: 1,
  features: 8,
  batch: 4,
  loss: 'z-loss',
  denseRows: 1024,
  rounds: 3,
  seconds: 60,
} as const;

describe('bench scaling', () => {
  it('has a row for each size, and the ratio of the slowest to the fastest', async () => {
    const report = await measureScaling({ ...layer, classes: [500, 2000] }, silent);
    const medians = report.rows.map(({ medianMs }) => medianMs);
    expect(report.rows.map(({ classes, tableBytes }) => [classes, tableBytes])).toEqual([
      [500, 16_000],
      [2000, 64_000],
    ]);
    expect(report.flatness).toBeCloseTo(Math.max(...medians) / Math.min(...medians), 9);
    expect(report.rows[1]?.denseMs).toBeCloseTo((report.dense.milliseconds.median * 2000) / 1024, 9);
    expect(scalingTables(report)).toMatch(/^\| +2,000 \|/m);
  });

  it('refuses tables that do not fit before it makes one', async () => {
    await expect(measureScaling({ ...layer, classes: [10, 2_000_000_000] }, silent)).rejects.toThrow(
      /scaling needs 7\d\.\d GB for its tables, \d+\.\d GB are available; leave out the largest of --classes 10,2000000000/,
    );
  });
});
