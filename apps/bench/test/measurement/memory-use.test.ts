import { describe, expect, it } from 'vitest';
import { heapUseAfterCollection } from '../../src/measurement/memory-use.ts';

describe('heapUseAfterCollection', () => {
  it('sees what is kept and not what is garbage', () => {
    const before = heapUseAfterCollection().heapBytes;
    const garbage = Array.from({ length: 200_000 }, (_, i) => [i]).length;
    const after = heapUseAfterCollection().heapBytes;
    const kept = Array.from({ length: 200_000 }, (_, i) => [i]);
    const holding = heapUseAfterCollection().heapBytes;
    expect([garbage, kept.length]).toEqual([200_000, 200_000]);
    expect(after - before).toBeLessThan(2e6);
    expect(holding - after).toBeGreaterThan(4e6);
  });
});
