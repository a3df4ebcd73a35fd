/** The bench at a small size through its function: what it reports, never how long it took. */
import { expect, it } from 'vitest';
import { measureSoak } from '../../src/soak/measure.ts';
import { soakTables } from '../../src/soak/report.ts';

it('bench soak: layers of all losses keep their accuracy and leave nothing behind, over restarts and added classes', async () => {
  const report = await measureSoak({ backend: 'wasm', steps: 6000 }, () => undefined);
  expect(report.steps).toBe(6000);
  expect(report.rows.map(({ steps, restarts, classes }) => [steps, restarts, classes])).toEqual(
    Array.from({ length: 6 }, () => [1000, 10, 410]),
  );
  // In f32; of exactness.test.ts of spherical-losses, whose runs are longer, the bounds are wider.
  expect(report.largestDrift).toBeGreaterThan(0);
  expect(report.largestDrift).toBeLessThan(1e-5);
  expect(report.largestDenseError).toBeGreaterThan(0);
  expect(report.largestDenseError).toBeLessThan(1e-4);
  expect(report.generations).toBeGreaterThan(0);
  // At most 128 transforms of two matrices in the cache of a layer (mathematics.md §4), and less than 100 others.
  expect(report.handles).toBeLessThan(6 * (2 * 128 + 100));
  expect(soakTables(report)).toMatch(/^\| squared-error +\| +1,000 \|/m);
});
