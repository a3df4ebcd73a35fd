import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import type { ProbeResult } from '@vastmax/linalg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrainings, roundingTolerance, trainingOf } from '../../src/compare-trainings.ts';
import type { PageReport } from '../../src/page/report.ts';
import { train, type Training } from '../../src/page/training.ts';
import { isolation } from '../../src/response-headers.ts';
import { wasmSite } from '../../src/sites.ts';
import { usePages } from '../../src/use-pages.ts';

const page = usePages<PageReport>(wasmSite);
const backend = await createWasmBackend({ threads: 1 });
let expected: Training;

beforeAll(async () => {
  expected = await train(backend);
});
afterAll(() => backend.dispose());

/**
 * Node 20 has no relaxed SIMD, Node 22 and Chromium have: with it, a multiply-add is rounded once, and the bits differ
 * from those without.
 */
function toleranceFor({ probes }: PageReport): number {
  const fuses = (probe: ProbeResult): boolean => describeProbe(probe).includes('fused multiply-add');
  return fuses(probes[0]) === fuses(probeWasmBackend()) ? 0 : roundingTolerance;
}

function describeProbe(probe: ProbeResult): string {
  return probe.available ? probe.detail : probe.reason;
}

/** One for each core, as the README has it: 64 at most. */
function threadsByDefault({ cores }: PageReport): number {
  return Math.min(cores, 64);
}

const isolated = page({ headers: isolation, threads: [2, 1, 'default'] });
const plain = page({ headers: {}, threads: [2, 'default'] });

describe('a cross-origin isolated page', () => {
  it('has relaxed SIMD and as many threads as cores, says the probe', async ({ skip }) => {
    const { report } = await isolated(skip);
    const threads =
      report.cores === 1 ? 'one thread on one core' : `${threadsByDefault(report)} threads on ${report.cores} cores`;
    expect(report.crossOriginIsolated).toBe(true);
    expect(describeProbe(report.probes[0])).toBe(
      `WebAssembly with 128-bit SIMD with fused multiply-add, f32, ${threads}`,
    );
    expect(report.probes[1]).toEqual(report.probes[0]);
  });

  it('trains with two threads, with one, and with one for each core', async ({ skip }) => {
    const { report } = await isolated(skip);
    const all = threadsByDefault(report);
    expect(report.runs.map((run) => ('name' in run ? run.name : run.error.message))).toEqual([
      'wasm f32, 2 threads',
      'wasm f32, 1 thread',
      `wasm f32, ${all} thread${all === 1 ? '' : 's'}`,
    ]);
  });

  it('learns: the loss falls from that of outputs that know nothing', async ({ skip }) => {
    const { report } = await isolated(skip);
    const { losses } = trainingOf(report.runs[0]);
    const means = Array.from(
      { length: 6 },
      (_, i) => losses.slice(50 * i, 50 * i + 50).reduce((sum, loss) => sum + loss, 0) / 50,
    );
    expect(losses).toHaveLength(300);
    // (1/a) softplus(a·b) with a = 0.1, b = 10, at z = 0.
    expect(Math.abs(losses[0]! - 13.13)).toBeLessThan(0.5);
    expect(means).toEqual(means.toSorted((a, b) => b - a));
    expect(losses.at(-1)).toBeLessThan(1);
  });

  it('gets the same bits with any number of threads', async ({ skip }) => {
    const { report } = await isolated(skip);
    const [two, one, all] = report.runs.map(trainingOf);
    expect(two).toEqual(one);
    expect(all).toEqual(one);
  });

  it('gets what Node gets: the same bits where both fuse multiply-adds, else the same but for rounding', async ({
    skip,
  }) => {
    const { report } = await isolated(skip);
    expect(compareTrainings(trainingOf(report.runs[0]), expected)).toBeLessThanOrEqual(toleranceFor(report));
  });

  it('has no worker left when its backends are disposed', async ({ skip }) => {
    const { report, workersStarted, workersLeft } = await isolated(skip);
    expect(workersStarted).toBe(1 + (threadsByDefault(report) - 1));
    expect(workersLeft).toBe(0);
  });

  it('fetches nothing and writes nothing to the console', async ({ skip }) => {
    const { messages, requests } = await isolated(skip);
    expect(messages).toEqual([]);
    expect(requests).toEqual(['/', '/page.js']);
  });
});

describe('a page without the two headers', () => {
  const remedy =
    /not cross-origin isolated; serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/;

  it('has one thread, and the probe says why and what to do', async ({ skip }) => {
    const { report } = await plain(skip);
    expect(report.crossOriginIsolated).toBe(false);
    expect(describeProbe(report.probes[0])).toMatch(
      new RegExp(`fused multiply-add, f32, one thread of ${report.cores}: .*${remedy.source}`),
    );
  });

  it('refuses a number of threads with the same reason', async ({ skip }) => {
    const { report } = await plain(skip);
    expect(report.runs[0]).toMatchObject({
      threads: 2,
      error: { code: 'device-lost', message: expect.stringMatching(remedy) },
    });
  });

  it('trains with one thread unless told otherwise, to the same bits as an isolated page', async ({ skip }) => {
    const { report, workersStarted } = await plain(skip);
    expect(report.runs[1]).toMatchObject({ threads: 'default', name: 'wasm f32, 1 thread' });
    expect(trainingOf(report.runs[1])).toEqual(trainingOf((await isolated(skip)).report.runs[1]));
    expect(workersStarted).toBe(0);
  });

  it('fetches nothing and writes nothing to the console', async ({ skip }) => {
    const { messages, requests } = await plain(skip);
    expect(messages).toEqual([]);
    expect(requests).toEqual(['/', '/page.js']);
  });
});
