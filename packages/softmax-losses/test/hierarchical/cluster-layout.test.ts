import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutByAssignment, layoutByFrequency, type ClusterLayout } from '../../src/hierarchical/cluster-layout.ts';

/** Rows are a permutation, and those of each cluster are contiguous and ascend with the class number. */
function expectSound({ clusters, clusterOf, rowOf, firstRow, largest }: ClusterLayout): void {
  expect(Array.from(rowOf).sort((a, b) => a - b)).toEqual(Array.from(rowOf.keys()));
  expect(firstRow[clusters]).toBe(rowOf.length);
  const last = Array.from({ length: clusters }, () => -1);
  rowOf.forEach((row, k) => {
    const cluster = clusterOf[k]!;
    expect(row).toBeGreaterThanOrEqual(firstRow[cluster]!);
    expect(row).toBeLessThan(firstRow[cluster + 1]!);
    expect(row).toBeGreaterThan(last[cluster]!);
    last[cluster] = row;
  });
  expect(largest).toBe(
    Math.max(...Array.from({ length: clusters }, (_, cluster) => firstRow[cluster + 1]! - firstRow[cluster]!)),
  );
}

describe('cluster layouts', () => {
  it('by frequency: ⌈√D⌉ clusters of sizes that differ by at most one, the most frequent classes first', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 150 }), (frequencies) => {
        const layout = layoutByFrequency(frequencies.length, frequencies);
        expectSound(layout);
        expect(layout.clusters).toBe(Math.ceil(Math.sqrt(frequencies.length)));
        const sizes = Array.from(
          { length: layout.clusters },
          (_, cluster) => layout.firstRow[cluster + 1]! - layout.firstRow[cluster]!,
        );
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        frequencies.forEach((one, a) => {
          frequencies.forEach((other, b) => {
            if (one > other) expect(layout.clusterOf[a]!).toBeLessThanOrEqual(layout.clusterOf[b]!);
          });
        });
      }),
      { numRuns: 30 },
    );
  });

  it('by class number where no frequencies are given', () => {
    expect(Array.from(layoutByFrequency(9, undefined).clusterOf)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  });

  it('by assignment, which is checked', () => {
    expectSound(layoutByAssignment('layer', 6, Int32Array.of(2, 0, 1, 1, 2, 2)));
    expect(() => layoutByAssignment('layer', 3, Int32Array.of(0, 1))).toThrow(
      'layer: the assignment has 2 clusters for 3 classes',
    );
    expect(() => layoutByAssignment('layer', 3, Int32Array.of(0, 2, 2))).toThrow(
      'no class is assigned to cluster 1 of 3',
    );
    expect(() => layoutByAssignment('layer', 3, Int32Array.of(0, -1, 1))).toThrow('class 1 is assigned to cluster -1');
    expect(() => layoutByAssignment('layer', 3, Int32Array.of(0, 1, 3))).toThrow('class 2 is assigned to cluster 3');
  });
});
