import fc from 'fast-check';
import { createMatrixFrom, createPlainBackend, read, Workspace } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { TransformCache } from '../../src/factored/transform-cache.ts';

const width = 3;

interface AffineMap {
  readonly linear: Float64Array;
  readonly shift: Float64Array;
}

/** Near the identity, so that long products stay in range. */
function randomMap(random: RandomGenerator): AffineMap {
  return {
    linear: Float64Array.from(
      { length: width * width },
      (_, i) => (i % (width + 1) === 0 ? 1 : 0) + 0.2 * random.normal(),
    ),
    shift: Float64Array.from({ length: width }, () => random.normal()),
  };
}

function applied({ linear, shift }: AffineMap, row: Float64Array): Float64Array {
  return Float64Array.from({ length: width }, (_, j) =>
    row.reduce((sum, value, i) => sum + value * linear[i * width + j]!, shift[j]!),
  );
}

function createCache(
  rebases: number,
  seed: number,
): {
  cache: TransformCache;
  maps: AffineMap[];
  dispose: () => void;
  backend: ReturnType<typeof createPlainBackend>;
} {
  const backend = createPlainBackend({ precision: 'f64' });
  const workspace = new Workspace(backend);
  const cache = new TransformCache(backend, width, workspace);
  const random = new RandomGenerator(seed);
  const maps = Array.from({ length: rebases }, () => randomMap(random));
  for (const { linear, shift } of maps) {
    using a = createMatrixFrom(backend, width, width, linear);
    using b = createMatrixFrom(backend, 1, width, shift);
    cache.append(a, b);
  }
  return {
    cache,
    maps,
    backend,
    dispose: () => {
      cache[Symbol.dispose]();
      workspace[Symbol.dispose]();
    },
  };
}

describe('the cache of the transforms between rebase epochs', () => {
  it('converts any interval as the maps one after the other, rows of many ages together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90 }),
        fc.nat(),
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        async (rebases, seed, ages, end) => {
          const { cache, maps, backend, dispose } = createCache(rebases, seed);
          const target = end % (rebases + 1);
          const epochs = Int32Array.from(ages, (age) => age % (rebases + 1));
          const random = new RandomGenerator(seed + 1);
          const start = Array.from(epochs, () => Float64Array.from({ length: width }, () => random.normal()));
          const expected = start.map((row, i) =>
            maps
              .slice(epochs[i]!, Math.max(epochs[i]!, target))
              .reduce<Float64Array>((value, map) => applied(map, value), row),
          );
          using rows = createMatrixFrom(
            backend,
            start.length,
            width,
            start.flatMap((row) => Array.from(row)),
          );
          const after = epochs.map((epoch) => Math.max(epoch, target));
          cache.convert(rows, epochs, start.length, target);
          expect(Array.from(epochs)).toEqual(Array.from(after));
          const values = await read(rows);
          expected.forEach((row, i) => {
            expect(relativeError(values.subarray(i * width, (i + 1) * width), row)).toBeLessThan(1e-7);
          });
          dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('needs at most 2·log₂(lag) maps for a row, and one for a complete dyadic interval', () => {
    const { cache, backend, dispose } = createCache(200, 3);
    using row = backend.createMatrix(1, width);
    for (let start = 0; start < 200; start += 7) {
      for (let target = start + 1; target <= 200; target += 5) {
        const before = cache.applied;
        cache.convert(row, Int32Array.of(start), 1, target);
        expect(cache.applied - before).toBeLessThanOrEqual(Math.max(1, 2 * Math.log2(target - start + 1)));
      }
    }
    const before = cache.applied;
    cache.convert(row, Int32Array.of(64), 1, 128);
    expect(cache.applied - before).toBe(1);
    dispose();
  });

  it('forgets maps on drop and uses their matrices again', () => {
    const { cache, backend, dispose } = createCache(64, 4);
    expect([...cache.transforms()].length).toBe(127);
    cache.drop(48);
    expect([...cache.transforms()].every(({ start }) => start >= 48)).toBe(true);
    expect([...cache.transforms()].length).toBe(31);
    using row = backend.createMatrix(1, width);
    cache.convert(row, Int32Array.of(50), 1, 64);
    expect(() => {
      cache.convert(row, Int32Array.of(40), 1, 64);
    }).toThrow('no transform from rebase epoch 40 to 64');
    using linear = backend.createMatrix(width, width);
    using shift = backend.createMatrix(1, width);
    const before = backend.memory().matrices;
    for (let rebase = 0; rebase < 32; rebase++) cache.append(linear, shift);
    expect(backend.memory().matrices).toBe(before);
    dispose();
    expect(backend.memory().matrices).toBe(3);
  });
});
