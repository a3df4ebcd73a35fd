import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import { ranksOf, topK } from '@vastmax/output-layer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NaiveLayer } from './naive-layer.ts';

/** One feature of 1: the scores are the weights. */
function layerWithScores(scores: readonly number[]): { layer: NaiveLayer; one: ReturnType<typeof createMatrixFrom> } {
  const backend = createPlainBackend({ precision: 'f64' });
  const layer = new NaiveLayer(backend, { classes: scores.length, features: 1, seed: 1 });
  layer.weights = Float64Array.from(scores);
  return { layer, one: createMatrixFrom(backend, 1, 1, [1]) };
}

describe('topK', () => {
  it('sorts as a stable sort does, ties by class number', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        async (scores, draw) => {
          const { layer, one } = layerWithScores(scores);
          const k = 1 + (draw % scores.length);
          const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
          const best = await topK(layer, one, k);
          expect(Array.from(best.classes)).toEqual(order.slice(0, k));
          expect(Array.from(best.scores)).toEqual(order.slice(0, k).map((target) => scores[target]! + 0));
        },
      ),
    );
  });

  it('goes over all blocks, reports them, and stops when told', async () => {
    const { layer } = layerWithScores(Array.from({ length: 3000 }, (_, k) => (k * 7919) % 3001));
    const many = createMatrixFrom(layer.backend, 1000, 1, new Float64Array(1000).fill(1));
    const seen: number[] = [];
    const best = await topK(layer, many, 2, { onProgress: (scored) => seen.push(scored) });
    expect(seen).toEqual([1048, 2096, 3000]);
    const sorted = Array.from(layer.weights.keys()).sort((a, b) => layer.weights[b]! - layer.weights[a]!);
    expect(Array.from(best.classes.subarray(0, 2))).toEqual(sorted.slice(0, 2));
    expect(Array.from(best.classes.subarray(1998))).toEqual(sorted.slice(0, 2));
    await expect(topK(layer, many, 2, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });
});

describe('ranksOf', () => {
  it('counts a tie as half, so a constant score gives the middle rank', async () => {
    const { layer, one } = layerWithScores([2, 2, 2, 2, 2]);
    expect(Array.from(await ranksOf(layer, one, Int32Array.of(4)))).toEqual([3]);
    layer.weights = Float64Array.of(5, 1, 3, 3, 0);
    expect(Array.from(await ranksOf(layer, one, Int32Array.of(2)))).toEqual([2.5]);
    expect(Array.from(await ranksOf(layer, one, Int32Array.of(0)))).toEqual([1]);
    expect(Array.from(await ranksOf(layer, one, Int32Array.of(4)))).toEqual([5]);
  });

  it('says so when a score is not a number', async () => {
    const { layer, one } = layerWithScores([1, Number.NaN, 2]);
    await expect(ranksOf(layer, one, Int32Array.of(1))).rejects.toMatchObject({ code: 'diverged' });
  });
});
