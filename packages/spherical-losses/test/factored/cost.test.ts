import { write } from '@vastmax/linalg-core';
import {
  createFactoredOutputLayer,
  squaredError,
  zLoss,
  type FactoredLayerCounters,
  type SphericalLoss,
} from '@vastmax/spherical-losses';
import { createBatches } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { BackgroundSweep } from '../../src/factored/rebase-schedule.ts';
import { createCountingBackend, type KernelCounts } from './counting-backend.ts';

const width = 16;
const batch = 16;
const steps = 60;
const start = Float32Array.from({ length: 1024 * width }, (_, i) => 0.1 * Math.sin(i * i));

interface Loop {
  readonly counts: KernelCounts;
  readonly counters: FactoredLayerCounters;
  readonly rebasesBefore: number;
}

/** A loop after a warm-up of 20 steps, the targets from the first 1,000 classes whatever D is. */
async function countLoop(
  classes: number,
  targets: number,
  loss: SphericalLoss,
  learningRate: number,
  length = steps,
): Promise<Loop> {
  const { backend, counts, reset } = createCountingBackend('f32');
  using layer = await createFactoredOutputLayer(backend, {
    classes,
    features: width,
    bias: false,
    loss,
    // The same 1,024 rows again and again: a million random ones would take longer than the test.
    initialRows: (_first, count) => start.subarray(0, count * width),
  });
  using hidden = backend.createMatrix(batch, width);
  const nextBatch = createBatches({
    loss: { name: 'taylor-softmax' },
    precision: 'f32',
    classes: 1000,
    width,
    batch,
    targets,
    steps: 0,
    learningRate,
    initialScale: 0,
  });
  let rebasesBefore = 0;
  for (let step = -20; step < length; step++) {
    if (step === 0) {
      reset();
      rebasesBefore = layer.counters.rebases;
    }
    const minibatch = nextBatch();
    write(minibatch.hidden, hidden);
    await layer.step(hidden, { ...minibatch.targets, columns: classes }, { learningRate });
  }
  return { counts: structuredClone(counts), counters: layer.counters, rebasesBefore };
}

describe('the work of a step does not depend on D', () => {
  it.each([1, 3])('the same kernel calls and bytes for 1,000 and 1,000,000 classes, K = %i', async (targets) => {
    const few = await countLoop(1000, targets, zLoss(), 1e-4);
    const many = await countLoop(1_000_000, targets, zLoss(), 1e-4);
    expect(few.counters.rebases).toBe(0);
    expect(few.counts.calls['gemm'], 'something was counted').toBeGreaterThan(steps * 5);
    expect(many.counts).toEqual(few.counts);
    // Each pair's row is gathered and scattered to at most once each.
    expect(many.counts.tableRows).toBeLessThanOrEqual(steps * 2 * batch * targets);
  });

  it('a rebase adds 2D/L swept rows, L the lag bound, and nothing else', async () => {
    const length = 600;
    const sizes = [1000, 20_000];
    const loops = [];
    for (const classes of sizes) loops.push(await countLoop(classes, 3, squaredError(), 0.1, length));
    const swept = loops.map(({ counts, counters, rebasesBefore }, i) => {
      const classes = sizes[i] ?? 0;
      const rebases = counters.rebases - rebasesBefore;
      expect(rebases, 'rebases').toBeGreaterThan(40);
      const rowsPerRebase = Math.ceil((2 * classes) / BackgroundSweep.lagBound(classes, width));
      expect(rowsPerRebase, 'whatever D is').toBeLessThanOrEqual(32 * width);
      // A swept row is gathered and scattered once; a touched one gathered once, and scattered to at most twice. Two
      // rebases' debt may be older.
      const bound = 3 * length * batch * 3 + 2 * rowsPerRebase * (rebases + 2);
      expect(counts.tableRows).toBeLessThanOrEqual(bound);
      return counts.tableRows;
    });
    expect(swept[1], 'the sweep is at work').toBeGreaterThan(1.2 * (swept[0] ?? Infinity));
  });
});
