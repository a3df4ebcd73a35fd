/** Each bench at a tiny size through its function: what it reports, never how long it took. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measureKernels } from '../src/kernels/measure.ts';
import { kernelsTables } from '../src/kernels/report.ts';
import { createBackend } from '../src/measurement/backend-choice.ts';
import { measureOutputLayer } from '../src/output-layer/measure.ts';
import { outputLayerTables } from '../src/output-layer/report.ts';
import { measureScaling } from '../src/scaling/measure.ts';
import { scalingTables } from '../src/scaling/report.ts';
import { measureSteadyState } from '../src/steady-state/measure.ts';
import { steadyStateTables } from '../src/steady-state/report.ts';
import { measureTraining } from '../src/training/measure.ts';
import { trainingTables } from '../src/training/report.ts';

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

describe('bench kernels', () => {
  it('has a row for each backend, thread count and shape', async () => {
    const report = await measureKernels(
      {
        threads: [1],
        plain: true,
        rounds: 3,
        seconds: 60,
        shapes: [
          [4, 5, 6],
          [512, 4, 4],
        ],
      },
      silent,
    );
    const rows = report.results.filter(({ backend }) => backend === 'wasm');
    expect(rows.map(({ backend, threads, m, n, k }) => [backend, threads, m, n, k])).toEqual([
      ['wasm', 1, 4, 5, 6],
      ['wasm', 1, 512, 4, 4],
    ]);
    expect(report.results.every(({ gflops }) => gflops > 0)).toBe(true);
    expect(report.results.map(({ backend }) => backend)).toContain('plain');
    expect(report.ratios, 'nothing was measured at 512').toEqual({
      wasmOneThreadToOpenblasOneThread: null,
      wasmTwoThreadsToOne: null,
      openblasTwoThreadsToOne: null,
    });
    expect(report.backends.length + report.unavailable.length).toBe(3);
    expect(kernelsTables(report)).toMatch(/^\| wasm +\| +1 \|/m);
  });
});

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

  it('scales nothing when all classes were timed', async () => {
    const report = await measureOutputLayer({ ...layer, batch: 32, classes: 500, profile: false }, silent);
    expect([report.dense.scaledFrom, report.factored.form, report.profile]).toEqual([null, 'row', null]);
  });
});

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

describe('bench steady-state', () => {
  it('reports handles, heap, generations and the share of stability by loss', async () => {
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

describe('bench training', () => {
  it('trains on a text file and says where the time goes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vastmax-bench-'));
    const data = join(folder, 'text.txt');
    writeFileSync(data, 'the cat sat on the mat\nthe dog sat on the log\n'.repeat(50));
    const report = await measureTraining(
      { data, threads: [1], plain: false, loss: 'z-loss', batch: 8, turns: 3 },
      silent,
    );
    rmSync(folder, { recursive: true });
    expect(report.corpus).toEqual({ name: data, tokens: 700, classes: 9 });
    const row = report.rows.find(({ backend }) => backend === 'wasm');
    expect(row?.spread.samples).toBe(3);
    expect(row?.examplesPerSecond).toBeGreaterThan(0);
    const { body = 0, output = 0, data: drawing = 0 } = row?.shares ?? {};
    expect(body + output + drawing).toBeCloseTo(1, 9);
    expect([body, output, drawing].every((share) => share > 0)).toBe(true);
    expect(trainingTables(report)).toMatch(/^\| wasm +\| +1 \|/m);
  });
});

describe('a backend that cannot be had', () => {
  it('is refused with a reason', async () => {
    await expect(createBackend('plain', 2)).rejects.toThrow('--threads 2 with --backend plain, which has one thread');
  });
});
