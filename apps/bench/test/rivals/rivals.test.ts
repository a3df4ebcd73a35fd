/** `bench rivals` at a tiny size: what it reports, never how long it took. */
import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { computeBreakEven } from '../../src/rivals/break-even.ts';
import { measureRivals } from '../../src/rivals/measure.ts';
import { rivalsTables } from '../../src/rivals/report.ts';
import { timeWithReference } from '../../src/workload/timed-groups.ts';
import {
  bytesOf,
  createTimedLayer,
  parseLayerNames,
  isSlow,
  otherLayerNames,
  timedClasses,
  zipfFrequencies,
} from '../../src/workload/timed-layers.ts';

const silent = (): void => undefined;
const options = {
  backend: 'wasm',
  threads: 1,
  features: 8,
  batch: 4,
  denseRows: 1024,
  rounds: 3,
  seconds: 1e-3,
} as const;
const sizes = { features: 8, batch: 4, pauseMs: 0 };

describe('bench rivals', () => {
  it('has every layer at every size, each against the factored one of its rounds', async () => {
    const report = await measureRivals({ ...options, classes: [300, 2000], layers: otherLayerNames }, silent);
    expect(report.unavailable).toEqual([]);
    for (const classes of [300, 2000]) {
      const rows = report.rows.filter((row) => row.classes === classes);
      expect(rows.map(({ layer }) => layer)).toEqual(['factored', ...otherLayerNames]);
      expect(
        rows.every(
          ({ medianMs, milliseconds }) =>
            medianMs > 0 && medianMs === milliseconds.median && milliseconds.samples === 3,
        ),
      ).toBe(true);
      // rf and quadratic take turns by themselves.
      expect(rows.filter(({ group }) => group === 1).map(({ layer }) => layer)).toEqual(['rf', 'quadratic']);
      for (const group of [0, 1])
        expect(new Set(rows.filter((row) => row.group === group).map(({ factoredMs }) => factoredMs)).size).toBe(1);
      const ratios = report.ratios.find((row) => row.classes === classes);
      for (const { layer, medianMs, factoredMs } of rows) {
        if (layer !== 'factored') expect(ratios?.[`${layer}OverFactored`], layer).toBeCloseTo(medianMs / factoredMs, 9);
      }
    }
    expect(
      report.rows
        .filter(({ scaledFrom }) => scaledFrom !== null)
        .map(({ layer, classes, scaledFrom }) => [layer, classes, scaledFrom]),
    ).toEqual([['full', 2000, 1024]]);
    expect(report.breakEvenTimings.map(({ classes }) => classes)).toEqual([250, 500, 1000, 2000, 4000, 10_000]);
    const tables = rivalsTables(report);
    expect(tables).toMatch(/^\| +2,000 \| full .*\| +1,024 \|/m);
    expect(tables).toContain('The full softmax costs as much as the factored layer at');
  });

  it('times the layers that it is asked for, with options of their own, and no break-even without the full softmax', async () => {
    const report = await measureRivals(
      { ...options, classes: [300], layers: ['factored', 'sampled:samples=20'] },
      silent,
    );
    expect(report.rows.map(({ layer }) => layer)).toEqual(['factored', 'sampled:samples=20']);
    expect(Object.keys(report.ratios[0] ?? {})).toEqual(['classes', 'sampled:samples=20OverFactored']);
    expect([report.breakEven, report.breakEvenTimings]).toEqual([null, []]);
    expect(rivalsTables(report)).not.toContain('costs as much');
  });
});

describe('timeWithReference', () => {
  it('lists what does not fit in memory or cannot be made, with the reason, and times the others', async () => {
    const layers = [
      { layer: 'sampled', classes: 2_000_000_000 },
      { layer: 'sampled', classes: 50 },
      { layer: 'hybrid:headSize=50', classes: 50 },
    ];
    const { timed, unavailable } = await timeWithReference(
      createPlainBackend({ precision: 'f32' }),
      { layer: 'factored', classes: 50 },
      layers,
      { ...sizes, rounds: 3, seconds: 1e-3 },
      silent,
    );
    expect(timed.map(({ layer, classes }) => [layer, classes])).toEqual([
      ['factored', 50],
      ['sampled', 50],
    ]);
    expect(unavailable).toMatchObject([
      {
        layer: 'sampled',
        classes: 2_000_000_000,
        reason: expect.stringMatching(/^it needs up to 200\.0 GB, [\d.]+ GB are available$/) as unknown,
      },
      {
        layer: 'hybrid:headSize=50',
        classes: 50,
        reason: 'hybrid layer: headSize must be a whole number from 1 to 49, got 50',
      },
    ]);
  });

  it('cannot do without the reference', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    const begin = (reference: { layer: string; classes: number }): Promise<unknown> =>
      timeWithReference(backend, reference, [], { ...sizes, rounds: 3, seconds: 1 }, silent);
    await expect(begin({ layer: 'factored', classes: 2_000_000_000 })).rejects.toThrow(
      /^the factored layer of 2,000,000,000 classes needs up to 200\.0 GB/,
    );
    await expect(begin({ layer: 'hybrid:headSize=9', classes: 9 })).rejects.toThrow(
      'the hybrid:headSize=9 layer of 9 classes: hybrid layer: headSize',
    );
  });
});

describe('createTimedLayer', () => {
  it('keeps the reason of a step that failed, and does nothing from then on', async () => {
    const rival = await createTimedLayer(createPlainBackend(), { layer: 'full', classes: 20 }, sizes);
    if (typeof rival === 'string') throw new Error(rival);
    await rival.task.run(2);
    expect(rival.failure()).toBeUndefined();
    rival[Symbol.dispose]();
    await rival.task.run(2);
    expect(rival.failure()).toContain('disposed');
  });
});

describe('the layers of the bench', () => {
  it('are known by name, with options', () => {
    expect(parseLayerNames('full, adaptive,full')).toEqual(['full', 'adaptive']);
    expect(parseLayerNames('factored,hybrid:headSize=7')).toEqual(['factored', 'hybrid:headSize=7']);
    expect(() => parseLayerNames('full,fool')).toThrow("no layer is called 'fool'");
    expect(() => parseLayerNames('full:samples=3')).toThrow("'samples=3' in 'full:samples=3'");
  });

  it('are slow or scaled or large as it takes', () => {
    expect([
      isSlow({ layer: 'rf:nu=8', classes: 9 }),
      isSlow({ layer: 'full', classes: 50_000 }),
      isSlow({ layer: 'full', classes: 9 }),
    ]).toEqual([true, true, false]);
    expect([
      timedClasses('full', 10_000, 2000),
      timedClasses('full', 100, 2000),
      timedClasses('rf', 10_000, 2000),
    ]).toEqual([2000, 100, 10_000]);
    expect(bytesOf({ layer: 'sampled', classes: 1e6 }, 300)).toBe(1e6 * (4 * 301 + 64));
    expect(bytesOf({ layer: 'quadratic', classes: 1e6 }, 300)).toBe(1e6 * (12 * 301 + 64));
  });

  it('have Zipf frequencies, the rarest class about once', () => {
    const frequencies = zipfFrequencies(1000);
    expect(frequencies[999]).toBeCloseTo(1, 2);
    expect(frequencies.reduce((sum, count) => sum + count, 0)).toBeCloseTo(1000 * Math.log(1001), 6);
  });
});

describe('computeBreakEven', () => {
  const timing = (classes: number, fullMs: number): { classes: number; fullMs: number; factoredMs: number } => ({
    classes,
    fullMs,
    factoredMs: 4,
  });

  it('interpolates in the logarithms', () => {
    expect(computeBreakEven([timing(100, 1), timing(400, 4), timing(1600, 16)])).toBe(400);
    expect(computeBreakEven([timing(100, 1), timing(1600, 16)])).toBe(400);
  });

  it('takes the last crossing of noisy timings', () => {
    expect(computeBreakEven([timing(100, 2), timing(200, 5), timing(400, 2), timing(1600, 8)])).toBe(800);
  });

  it('is null out of reach', () => {
    expect(computeBreakEven([])).toBeNull();
    expect(computeBreakEven([timing(100, 5), timing(200, 9)])).toBeNull();
    expect(computeBreakEven([timing(100, 1), timing(200, 2)])).toBeNull();
  });
});
