import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { WebGpuTrainingReport } from '../../src/page/report.ts';
import { steps, trainWordModel } from '../../src/page/word-model.ts';
import { webGpuTrainingSite } from '../../src/sites.ts';
import { skipOrFail, usePages } from '../../src/use-pages.ts';

/** To be looked at. */
const screenshot = join(import.meta.dirname, '../../node_modules/.cache/webgpu-training.png');
const visit = usePages<WebGpuTrainingReport>(webGpuTrainingSite)({ headers: {}, screenshot });

describe('a language model on WebGPU in a page', () => {
  it('learns: the loss falls, and the page shows it', async ({ skip }) => {
    const { report, messages, requests } = await visit(skip);
    if (!report.available) return skipOrFail(webGpuTrainingSite.backend, report.reason, skip);
    const means = Array.from(
      { length: 4 },
      (_, i) => report.losses.slice(50 * i, 50 * i + 50).reduce((sum, loss) => sum + loss, 0) / 50,
    );
    expect(report.name).toMatch(/^webgpu f32/);
    expect(report.losses).toHaveLength(steps);
    // (1/a) softplus(a·b) with a = 0.1, b = 10, at z = 0.
    expect(Math.abs(report.losses[0]! - 13.13)).toBeLessThan(0.5);
    expect(means).toEqual(means.toSorted((a, b) => b - a));
    expect(means[3]).toBeLessThan(0.9 * means[0]!);
    expect(report.points).toBe(steps);
    expect(messages).toEqual([]);
    expect(requests).toEqual(['/', '/page.js']);
  });

  it('takes the steps that a CPU takes', async ({ skip }) => {
    const { report } = await visit(skip);
    if (!report.available) return skipOrFail(webGpuTrainingSite.backend, report.reason, skip);
    const backend = await createWasmBackend({ threads: 1 });
    const expected = await trainWordModel(backend);
    await backend.dispose();
    // The rates are the main job's, and steps as large as these multiply every rounding: after 200 of them plain f32 is
    // 1.2 % from f64, as wasm is.
    const differences = expected.slice(0, 50).map((loss, step) => Math.abs(report.losses[step]! - loss) / loss);
    expect(Math.max(...differences.slice(0, 10))).toBeLessThan(1e-5);
    expect(Math.max(...differences)).toBeLessThan(1e-3);
  });
});
