/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { measureRows } from '../../src/rows/measure.ts';
import { rowsTables } from '../../src/rows/report.ts';

describe('bench rows', () => {
  it('has a row for each rule and for bags, and gives everything back', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const inUse = { name: 'plain', threads: 1, detail: 'plain f32' } as const;
    const sizes = { tableRows: 40, columns: 3, touched: 7, entries: 12, batch: 4 };
    const report = await measureRows(backend, inUse, { ...sizes, rounds: 3, seconds: 60 });
    expect(report.results.map(({ what }) => what)).toEqual([
      'momentum of 7 rows',
      'adagrad of 7 rows',
      'adam of 7 rows',
      'bags of 12 features',
      'sgd of 12 features',
    ]);
    expect(report.results.every(({ speedup }) => speedup > 0)).toBe(true);
    expect(report.sizes).toEqual(sizes);
    expect(backend.memory()).toEqual(before);
    expect(rowsTables(report)).toMatch(/^\| adam of 7 rows +\|/m);
  });

  it('refuses to touch more rows than there are', async () => {
    const sizes = { tableRows: 4, columns: 3, touched: 5, entries: 12, batch: 4, rounds: 3, seconds: 60 };
    const inUse = { name: 'plain', threads: 1, detail: 'plain f32' } as const;
    await expect(measureRows(createPlainBackend(), inUse, sizes)).rejects.toThrow('touched is 5, the table has 4 rows');
  });
});
