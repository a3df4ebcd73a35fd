/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { describe, expect, it } from 'vitest';
import { measureKernels } from '../../src/kernels/measure.ts';
import { kernelsTables } from '../../src/kernels/report.ts';

const silent = (): void => undefined;

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
