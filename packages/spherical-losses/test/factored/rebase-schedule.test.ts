import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackgroundSweep } from '../../src/factored/rebase-schedule.ts';
import { createTwinRun, staleRows } from './trained-layers.ts';

/** Rows that only the sweep ever converts. */
function simulate(
  classes: number,
  width: number,
  lengths: readonly number[],
): { largestLag: number; transformsKept: number; rowsPerRebase: number } {
  const sweep = new BackgroundSweep();
  const lagBound = BackgroundSweep.lagBound(classes, width);
  const epochs = new Int32Array(classes);
  let current = 0;
  let largestLag = 0;
  let kept = 0;
  let visits = 0;
  let dropped = 0;
  for (const length of lengths) {
    sweep.addDebt(classes, lagBound);
    current++;
    for (let step = 0; step < length; step++) {
      const range = sweep.next(classes, current, lagBound);
      visits += range.count;
      for (let row = range.firstRow; row < range.firstRow + range.count; row++)
        epochs[row] = Math.max(epochs[row]!, range.target);
      if (range.count === 0) continue;
      const oldest = sweep.visited(range, classes);
      if (oldest !== undefined) {
        expect(Math.min(...epochs), 'no row is older than what is dropped').toBeGreaterThanOrEqual(oldest);
        dropped = oldest;
      }
    }
    largestLag = Math.max(largestLag, current - Math.min(...epochs));
    kept = Math.max(kept, current - dropped);
  }
  return { largestLag, transformsKept: kept, rowsPerRebase: visits / lengths.length };
}

describe('the background sweep', () => {
  it('bounds the lag of every row, and the transforms that are kept, whatever the lengths of the epochs', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 300, maxLength: 400 }),
        (classes, lengths) => {
          const bound = BackgroundSweep.lagBound(classes, 8);
          const { largestLag, transformsKept } = simulate(classes, 8, lengths);
          expect(largestLag).toBeLessThanOrEqual(bound);
          expect(transformsKept).toBeLessThanOrEqual(2 * bound);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('visits 2D/L rows for a rebase', () => {
    const { rowsPerRebase } = simulate(
      640,
      8,
      Array.from({ length: 400 }, () => 10),
    );
    expect(rowsPerRebase).toBeGreaterThan(19);
    expect(rowsPerRebase).toBeLessThanOrEqual(20);
  });

  it('lets the lag bound grow with D/d, from 64 up', () => {
    expect([1000, 100_000, 1_000_000, 100_000_000].map((classes) => BackgroundSweep.lagBound(classes, 16))).toEqual([
      64, 512, 4096, 524_288,
    ]);
  });

  it('keeps the transform cache of a long run bounded', async () => {
    using run = await createTwinRun({ ...staleRows, classes: 300, width: 4, batch: 3 });
    let largest = 0;
    for (let round = 0; round < 20; round++) {
      await run.train(100);
      largest = Math.max(largest, run.layer.state().tensors.filter(({ name }) => name.endsWith('.linear')).length);
    }
    expect(run.layer.counters.rebases).toBeGreaterThan(150);
    expect(largest).toBeLessThan(4 * 64);
    expect(largest).toBeGreaterThan(32);
  });
});
