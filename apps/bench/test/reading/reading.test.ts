import { expect, it } from 'vitest';
import { measureReading } from '../../src/reading/measure.ts';
import { readingTables } from '../../src/reading/report.ts';

it('bench reading reads every format, and says how fast beside a pass over the bytes', async () => {
  const report = await measureReading({ megabytes: 1, rounds: 1 });
  expect(report.rows.map(({ what }) => what)).toContain('XMC, rows');
  for (const { megabytesPerSecond, timesPass } of report.rows) {
    expect(megabytesPerSecond.median).toBeGreaterThan(0);
    expect(timesPass).toBeGreaterThan(0);
  }
  expect(readingTables(report)).toContain('JSON Lines');
});
