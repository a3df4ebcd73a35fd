/**
 * The bench of the WebGPU backend at a tiny size, on the GPU in software; its lab is a program of its own, of which one
 * row stands for all here.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import { createWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { describe, expect, it } from 'vitest';
import { probeGpu } from '../../src/webgpu/gpu-in-use.ts';
import type { Row } from '../../lab/webgpu/measure.ts';
import { webGpuTables } from '../../src/webgpu/report.ts';
import { measureSteps } from '../../src/webgpu/step-measurement.ts';

const silent = (): void => undefined;
const row: Row = {
  kernel: 'gemm',
  version: 'shipped',
  ships: true,
  m: 512,
  n: 512,
  k: 512,
  dispatches: 1,
  error: 0.1,
  milliseconds: 2,
  gflops: 134,
  timesFirst: 5.5,
};

describe('bench webgpu', () => {
  it('counts what a step asks of the device, and times it', async ({ skip }) => {
    const probe = await probeGpu(true);
    if (!probe.available) {
      if (requiredBackends().has('webgpu-dawn'))
        throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${probe.reason}`);
      return skip(`unavailable: ${probe.reason}`);
    }
    expect(probe.kind).toBe('software');
    const backend = await createWebGpuBackend();
    const options = { classes: 100, features: 8, batch: 4, loss: 'z-loss', warmup: 3, steps: 2, samples: 2 };
    const step = await measureSteps(backend, options, silent);
    await backend.dispose();
    expect(step.form).toBe('small-batch');
    expect(step.milliseconds.samples).toBe(2);
    expect(step.examplesPerSecond).toBeCloseTo(4000 / step.milliseconds.median, 6);
    expect(step.typical.dispatches).toBeGreaterThan(10);
    expect(step.mean.dispatches).toBeGreaterThan(10);
    // In each dispatch at least its uniforms.
    expect(step.typical.bytesUploaded).toBeGreaterThanOrEqual(256 * step.typical.dispatches);

    const tables = webGpuTables({
      bench: 'webgpu',
      machine: {
        node: 'v0',
        platform: 'test',
        processor: 'abacus',
        cores: 2,
        memoryGiB: 1,
        date: '2026-01-01T00:00:00.000Z',
      },
      gpu: { kind: 'software', detail: probe.detail },
      lab: { adapter: 'an adapter', rounds: 3, results: [row] },
      shippedToNaive: 5.5,
      step: { ...step, options },
    });
    expect(tables).toContain('in software: times say nothing about GPUs');
    expect(tables).toMatch(/^\| 512×512×512 \| shipped \| +1 \| 2\.00 \| +134 \| +5\.50 \|$/m);
    expect(tables).toMatch(/^\| buffers created +\|/m);
    expect(tables).toContain('D = 100, d = 8, m = 4, z-loss');
  });
});
