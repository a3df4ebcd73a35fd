import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BackendInUse } from '../../src/measurement/backend-choice.ts';
import type { Spread } from '../../src/measurement/statistics.ts';
import { claimsOf } from '../../src/report/claims.ts';
import { documentSections, sectionNames } from '../../src/report/document-sections.ts';
import { reportRuns } from '../../src/report/measure.ts';
import type { Measurements } from '../../src/report/measurements.ts';
import { plotSpecifications } from '../../src/report/plots.ts';
import type { Machine } from '../../src/reporting/machine.ts';
import { replaceSection } from '../../src/reporting/marked-sections.ts';
import { renderSvg } from '../../src/reporting/svg-plot.ts';
import { bench } from '../bench-command.ts';

const root = resolve(import.meta.dirname, '../../../..');
const machine: Machine = {
  node: 'v0',
  platform: 'test',
  processor: 'abacus',
  cores: 2,
  memoryGiB: 1,
  date: '2026-01-01T00:00:00.000Z',
};
const wasm: BackendInUse = { name: 'wasm', threads: 1, detail: 'wasm f32' };
const ceilings = { gemmGflops: 50, gemm: spread(5), copyGigabytesPerSecond: 30 };
const measurements: Measurements = {
  kernels: {
    bench: 'kernels',
    machine,
    backends: [wasm],
    unavailable: [{ backend: 'openblas', reason: 'no library' }],
    results: [{ backend: 'wasm', threads: 1, m: 512, n: 512, k: 512, gflops: 50, milliseconds: spread(5) }],
    ratios: { wasmOneThreadToOpenblasOneThread: null, wasmTwoThreadsToOne: 1.5, openblasTwoThreadsToOne: null },
    copyGigabytesPerSecond: 30,
  },
  'output-layer wasm': {
    bench: 'output-layer',
    machine,
    backend: wasm,
    options: { classes: 793_471, features: 300, batch: 128, loss: 'z-loss' },
    initializationSeconds: 9,
    factored: {
      form: 'small-batch',
      medianMs: 4,
      milliseconds: spread(4),
      examplesPerSecond: 32_000,
      flops: 2e8,
      gflops: 50,
      gemmCeilingShare: 0.8,
      stepOverGemm: 9,
    },
    preconditioned: null,
    dense: { medianMs: 3600, milliseconds: spread(3600), scaledFrom: 32_768, flops: 1.8e11 },
    denseRecomputed: { medianMs: 4800, milliseconds: spread(4800), scaledFrom: 32_768 },
    fullSoftmax: { medianMs: 4000, milliseconds: spread(4000), scaledFrom: 32_768 },
    speedup: 900,
    speedupOverSoftmax: 1000,
    stepGemm: { m: 128, n: 300, k: 300, milliseconds: spread(0.44) },
    ceilings,
    profile: { stepMs: 4, groups: [{ group: 'products of m·d·d', ms: 4, share: 1, callsPerStep: 6 }] },
  },
  'scaling wasm': {
    bench: 'scaling',
    machine,
    backend: wasm,
    options: { features: 256, batch: 128, loss: 'z-loss' },
    targets: 'uniform over all classes, drawn anew for each step',
    rows: [10_000, 10_000_000].map((classes) => ({
      classes,
      medianMs: 3,
      milliseconds: spread(3),
      tableBytes: 4 * classes * 256,
      residentBytes: 4 * classes * 256,
      initializationSeconds: 1,
      denseMs: classes / 100,
    })),
    flatness: 1.4,
    dense: { rows: 32_768, milliseconds: spread(100) },
    ceilings,
  },
  'steady-state wasm': {
    bench: 'steady-state',
    machine,
    backend: wasm,
    options: { classes: 100_000, features: 256, batch: 128, steps: 1000, warmup: 2000 },
    handlesCreated: 0,
    heapGrowthBytes: 2e6,
    rebases: { 'z-loss': 0, 'squared-error': 100 },
    stabilizationShare: { 'z-loss': 0, 'squared-error': 0.25 },
    rows: [
      {
        loss: 'z-loss',
        learningRate: 1,
        handlesCreated: 0,
        heapGrowthBytes: 2e6,
        externalGrowthBytes: 0,
        rebases: 0,
        singularSteps: 0,
        mapsAppliedPerStep: 0,
        stepMs: 3,
        stabilizationMs: 0,
        stabilizationShare: 0,
      },
    ],
    ceilings,
  },
  training: {
    bench: 'training',
    machine,
    backends: [wasm],
    unavailable: [],
    options: { loss: 'z-loss', batch: 256, turns: 12 },
    corpus: { name: 'a text', tokens: 1000, classes: 100 },
    rows: [
      {
        backend: 'wasm',
        threads: 1,
        examplesPerSecond: 80_000,
        spread: spread(80_000),
        shares: { body: 0.4, output: 0.5, data: 0.1 },
        ceilings,
      },
    ],
  },
};

function spread(median: number): Spread {
  return { median, lowerQuartile: 0.9 * median, upperQuartile: 1.1 * median, minimum: 0.8 * median, samples: 3 };
}

describe('claimsOf', () => {
  it('judges what was measured and nothing else', () => {
    expect(claimsOf(measurements).map(({ claim, isMet }) => [claim, isMet])).toEqual([
      ['512³ product: wasm, two threads over one', false],
      ['wasm: step of D = 793,471, d = 300, m = 128, times faster than dense', true],
      ["wasm: that step's share of the 512³ rate", true],
      ['wasm: slowest over fastest step from 1·10^4 to 1·10^7 classes', false],
      ['wasm: handles created in a thousand steps', true],
      ['wasm: growth of the heap in a thousand steps, MB', false],
      ["wasm: share of the step's time for stabilization, z-loss", true],
      ["wasm: share of the step's time for stabilization, squared-error", true],
    ]);
    expect(claimsOf({})).toEqual([]);
  });
});

describe('documentSections', () => {
  it('are all there when everything was measured, and each has its place in docs/performance.md', () => {
    const document = readFileSync(join(root, 'docs/performance.md'), 'utf8');
    const sections = documentSections(measurements);
    expect([...sections.keys()]).toEqual([...sectionNames]);
    for (const [name, content] of sections) expect(replaceSection(document, name, content)).toContain(content);
    expect([...documentSections({}).keys()]).toEqual([]);
  });
});

describe('replaceSection', () => {
  const document = 'before\n<!-- begin a -->\nold\n<!-- end a -->\nafter\n';

  it('replaces what is between the marks, again and again', () => {
    const once = replaceSection(document, 'a', 'new');
    expect(once).toBe('before\n<!-- begin a -->\n\nnew\n\n<!-- end a -->\nafter\n');
    expect(replaceSection(once, 'a', 'new')).toBe(once);
  });

  it('says which marks are missing', () => {
    expect(() => replaceSection(document, 'b', 'new')).toThrow(
      "no section 'b'; put the lines <!-- begin b --> and <!-- end b -->",
    );
  });
});

describe('plots', () => {
  it('are SVG with the names in them', async () => {
    const plots = plotSpecifications(measurements);
    expect([...plots.keys()]).toEqual(['overview', 'gemm', 'scaling', 'training', 'step']);
    for (const [name, specification] of plots) {
      const svg = await renderSvg(specification);
      expect(svg).toMatch(/^<svg /);
      expect(svg).toContain(name === 'overview' ? 'vastmax, exact' : 'wasm, 1 thread');
    }
    expect([...plotSpecifications({}).keys()]).toEqual([]);
  });
});

describe('reportRuns', () => {
  it('has names of their own, and benches that exist', () => {
    const runs = reportRuns(['openblas', 'wasm'], false);
    expect(new Set(runs.map(({ name }) => name)).size).toBe(runs.length);
    expect(new Set(runs.map(({ args: [bench] }) => bench))).toEqual(
      new Set(['kernels', 'output-layer', 'scaling', 'steady-state', 'training']),
    );
    expect(reportRuns(['wasm'], true).every(({ args }) => args.length > 2)).toBe(true);
  });
});

/** Of a process that loads all benches; seconds on a quiet machine. */
const timeout = 600_000;

describe('bench report --render', () => {
  it('writes the document and the plots from the results that are there', { timeout }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vastmax-bench-'));
    mkdirSync(join(folder, 'plots'));
    copyFileSync(join(root, 'docs/performance.md'), join(folder, 'performance.md'));
    writeFileSync(join(folder, 'plots/measurements.json'), JSON.stringify(measurements));
    const { stdout, code } = await bench(['report', '--render', '--json', '--out', folder]);
    const report = JSON.parse(stdout) as { bench: string; failures: unknown[]; written: string[]; results: object };
    expect([report.bench, report.failures, code]).toEqual(['report', [], 0]);
    expect(report.results).toEqual(measurements);
    expect(report.written.length).toBe(7);
    expect(readFileSync(join(folder, 'performance.md'), 'utf8')).toContain('abacus, 2 cores');
    expect(readFileSync(join(folder, 'plots/step.svg'), 'utf8')).toMatch(/^<svg /);
    rmSync(folder, { recursive: true });
  });

  it('says what is wrong without a stack', { timeout }, async () => {
    const missing = await bench(['report', '--render', '--out', join(tmpdir(), 'vastmax-no-such-folder')]);
    expect([missing.stdout, missing.code]).toEqual(['', 1]);
    expect(missing.stderr).toMatch(/^bench: .*performance\.md could not be read/);
  });

  it('says which option is wrong', { timeout }, async () => {
    const unknown = await bench(['output-layer', '--loss', 'y-loss']);
    expect([unknown.stdout, unknown.code]).toEqual(['', 1]);
    expect(unknown.stderr).toContain("option '--loss <name>' argument 'y-loss' is invalid");
  });
});
