import { createPlainBackend, read } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { MinibatchCycle } from '../../src/workload/minibatches.ts';

describe('MinibatchCycle', () => {
  it('cycles different minibatches of tanh activations', async () => {
    const backend = createPlainBackend();
    using batches = new MinibatchCycle(backend, { classes: 50, features: 7, batch: 9, count: 3, distribution: 'zipf' });
    const cycle = [batches.next(), batches.next(), batches.next(), batches.next()];
    expect(cycle[3]).toBe(cycle[0]);
    const [first, second] = await Promise.all(
      [cycle[0], cycle[1]].map(async (batch) => (batch === undefined ? undefined : read(batch.hidden))),
    );
    expect(first?.length).toBe(63);
    expect(first).not.toEqual(second);
    expect(first?.every((value) => Math.abs(value) < 1)).toBe(true);
    expect(cycle[0]?.targets).toMatchObject({ rows: 9, columns: 50 });
  });

  it('draws classes by Zipf’s law, or evenly, and anew when asked to', () => {
    const backend = createPlainBackend();
    const shareOfFirstTenth = (distribution: 'zipf' | 'uniform'): number => {
      using batches = new MinibatchCycle(backend, { classes: 1000, features: 1, batch: 4000, count: 1, distribution });
      const before = Int32Array.from(batches.next().classes);
      const { classes } = batches.nextRedrawn();
      expect(classes).not.toEqual(before);
      expect(classes.every((target) => target >= 0 && target < 1000)).toBe(true);
      return classes.filter((target) => target < 100).length / classes.length;
    };
    // ln(101)/ln(1001) = 0.668.
    expect(shareOfFirstTenth('zipf')).toBeCloseTo(0.668, 1);
    expect(shareOfFirstTenth('uniform')).toBeCloseTo(0.1, 1);
  });
});
