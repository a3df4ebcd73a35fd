import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HuffmanTree } from '../../src/hierarchical/huffman-tree.ts';

const frequencies = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 200 });

describe('HuffmanTree', () => {
  it('gives every inner node one child on each branch', () => {
    fc.assert(
      fc.property(frequencies, (counts) => {
        const tree = new HuffmanTree(counts);
        const children = Array.from({ length: tree.nodes }, () => [0, 0]);
        for (let vertex = 0; vertex < tree.root; vertex++)
          children[tree.rowOf(tree.parents[vertex]!)]![tree.isSecond[vertex]!]!++;
        expect(children.every(([one, other]) => one === 1 && other === 1)).toBe(true);
      }),
    );
  });

  it('has a mean code length between the entropy and one bit more, and frequent classes no deeper than rare ones', () => {
    fc.assert(
      fc.property(
        frequencies.filter((counts) => counts.some((count) => count > 0)),
        (counts) => {
          const tree = new HuffmanTree(counts);
          const total = counts.reduce((sum, count) => sum + count, 0);
          const entropy = counts.reduce(
            (sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)),
            0,
          );
          const depths = counts.map((_, target) => tree.depthOf(target));
          const mean = counts.reduce((sum, count, target) => sum + (count / total) * depths[target]!, 0);
          expect(mean).toBeGreaterThanOrEqual(entropy - 1e-9);
          expect(mean).toBeLessThanOrEqual(entropy + 1 + 1e-9);
          const byCount = counts
            .map((count, target) => ({ count, depth: depths[target]! }))
            .sort((a, b) => b.count - a.count);
          byCount.forEach(({ count, depth }, i) => {
            const next = byCount[i + 1];
            if (next !== undefined && next.count < count) expect(depth).toBeLessThanOrEqual(next.depth);
          });
        },
      ),
    );
  });

  it('is balanced over equally frequent classes', () => {
    const tree = new HuffmanTree(new Float64Array(1024).fill(3));
    expect(Array.from({ length: 1024 }, (_, target) => tree.depthOf(target)).every((depth) => depth === 10)).toBe(true);
  });
});
