import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DistinctIndices } from '../../src/index.ts';

describe('DistinctIndices', () => {
  it('numbers distinct indices in order of first appearance, list after list', () => {
    const distinct = new DistinctIndices();
    const list = fc.array(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }).chain((wide) => fc.constantFrom(wide, wide % 7)),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(list, (indices) => {
        distinct.begin(indices.length);
        const slots = indices.map((index) => distinct.slotOf(index));
        const expected = [...new Set(indices)];
        expect([...distinct.values.subarray(0, distinct.count)]).toEqual(expected);
        expect(slots).toEqual(indices.map((index) => expected.indexOf(index)));
      }),
    );
  });

  it('allocates nothing for a list no longer than those before', () => {
    const distinct = new DistinctIndices();
    distinct.begin(100);
    const { values } = distinct;
    for (let list = 0; list < 1000; list++) {
      distinct.begin(100);
      for (let i = 0; i < 100; i++) distinct.slotOf((list * 31 + i) % 5000);
    }
    expect(distinct.values).toBe(values);
  });
});
