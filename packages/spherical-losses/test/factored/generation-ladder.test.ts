import fc from 'fast-check';
import { createMatrixFrom, createPlainBackend, read, Workspace } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { GenerationLadder } from '../../src/factored/generation-ladder.ts';

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

function createLadder(
  closings: number,
  seed: number,
): {
  ladder: GenerationLadder;
  maps: AffineMap[];
  dispose: () => void;
  backend: ReturnType<typeof createPlainBackend>;
} {
  const backend = createPlainBackend({ precision: 'f64' });
  const workspace = new Workspace(backend);
  const ladder = new GenerationLadder(backend, width, workspace);
  const random = new RandomGenerator(seed);
  const maps = Array.from({ length: closings }, () => randomMap(random));
  for (const { linear, shift } of maps) {
    using a = createMatrixFrom(backend, width, width, linear);
    using b = createMatrixFrom(backend, 1, width, shift);
    ladder.close(a, b);
  }
  return {
    ladder,
    maps,
    backend,
    dispose: () => {
      ladder[Symbol.dispose]();
      workspace[Symbol.dispose]();
    },
  };
}

describe('the ladder of generation maps', () => {
  it('converts any interval as the maps one after the other, rows of many ages together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90 }),
        fc.nat(),
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        async (closings, seed, ages, end) => {
          const { ladder, maps, backend, dispose } = createLadder(closings, seed);
          const target = end % (closings + 1);
          const generations = Int32Array.from(ages, (age) => age % (closings + 1));
          const random = new RandomGenerator(seed + 1);
          const start = Array.from(generations, () => Float64Array.from({ length: width }, () => random.normal()));
          const expected = start.map((row, i) =>
            maps
              .slice(generations[i]!, Math.max(generations[i]!, target))
              .reduce<Float64Array>((value, map) => applied(map, value), row),
          );
          using rows = createMatrixFrom(
            backend,
            start.length,
            width,
            start.flatMap((row) => Array.from(row)),
          );
          const after = generations.map((generation) => Math.max(generation, target));
          ladder.convert(rows, generations, start.length, target);
          expect(Array.from(generations)).toEqual(Array.from(after));
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
    const { ladder, backend, dispose } = createLadder(200, 3);
    using row = backend.createMatrix(1, width);
    for (let start = 0; start < 200; start += 7) {
      for (let target = start + 1; target <= 200; target += 5) {
        const before = ladder.mapsApplied;
        ladder.convert(row, Int32Array.of(start), 1, target);
        expect(ladder.mapsApplied - before).toBeLessThanOrEqual(Math.max(1, 2 * Math.log2(target - start + 1)));
      }
    }
    const before = ladder.mapsApplied;
    ladder.convert(row, Int32Array.of(64), 1, 128);
    expect(ladder.mapsApplied - before).toBe(1);
    dispose();
  });

  it('forgets maps on drop and uses their matrices again', () => {
    const { ladder, backend, dispose } = createLadder(64, 4);
    expect([...ladder.maps()].length).toBe(127);
    ladder.drop(48);
    expect([...ladder.maps()].every(({ start }) => start >= 48)).toBe(true);
    expect([...ladder.maps()].length).toBe(31);
    using row = backend.createMatrix(1, width);
    ladder.convert(row, Int32Array.of(50), 1, 64);
    expect(() => {
      ladder.convert(row, Int32Array.of(40), 1, 64);
    }).toThrow('no map from generation 40 to 64');
    using linear = backend.createMatrix(width, width);
    using shift = backend.createMatrix(1, width);
    const before = backend.memory().matrices;
    for (let closing = 0; closing < 32; closing++) ladder.close(linear, shift);
    expect(backend.memory().matrices).toBe(before);
    dispose();
    expect(backend.memory().matrices).toBe(3);
  });
});
