/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { describe, expect, it } from 'vitest';
import { measureOutputLayer } from '../../src/output-layer/measure.ts';
import { outputLayerTables } from '../../src/output-layer/report.ts';

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

describe('bench output-layer', () => {
  it('compares the factored step with the dense ones', async () => {
    const report = await measureOutputLayer({ ...layer, classes: 3000, profile: true }, silent);
    const { factored, dense, fullSoftmax, denseRecomputed } = report;
    expect(factored.form).toBe('small-batch');
    expect(factored.flops).toBeCloseTo(14 * 4 * 64 + 8 * 16 * 8 + (2 / 3) * 64, 6);
    expect(factored.examplesPerSecond).toBeCloseTo(4000 / factored.medianMs, 6);
    expect(factored.gemmCeilingShare).toBeCloseTo(
      factored.flops / factored.medianMs / 1e6 / report.ceilings.gemmGflops,
      9,
    );
    expect(factored.stepOverGemm).toBeCloseTo(factored.medianMs / report.stepGemm.milliseconds.median, 9);
    expect(report.speedup).toBeCloseTo(dense.medianMs / factored.medianMs, 9);
    for (const timing of [dense, fullSoftmax, denseRecomputed]) expect(timing.scaledFrom).toBe(1024);
    expect(report.profile?.groups.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(report.profile?.groups.map(({ group }) => group)).toContain('products of m·d·d');
    expect(outputLayerTables(report)).toContain('scaled from 1,024 classes');
  });

  it('times the preconditioned step beside the plain one', async () => {
    const report = await measureOutputLayer({ ...layer, classes: 500, profile: false, precondition: 0.5 }, silent);
    const { factored, preconditioned } = report;
    expect(preconditioned?.power).toBe(0.5);
    expect(preconditioned?.overPlain).toBeCloseTo((preconditioned?.medianMs ?? 0) / factored.medianMs, 9);
    expect(outputLayerTables(report)).toContain('preconditioned step (power 0.5) over the plain one');
  });

  it('scales nothing when all classes were timed', async () => {
    const report = await measureOutputLayer({ ...layer, batch: 32, classes: 500, profile: false }, silent);
    expect([report.dense.scaledFrom, report.factored.form, report.profile, report.preconditioned]).toEqual([
      null,
      'row',
      null,
      null,
    ]);
  });
});
