import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMatrixFrom,
  createPlainBackend,
  describeShape,
  isMatrix,
  isRowTable,
  LinalgError,
  Matrix,
  read,
} from '../src/index.ts';

const backend = createPlainBackend({ precision: 'f64' });

describe('Matrix', () => {
  it('keeps its numbers through any shapes that fit', async () => {
    const shape = fc.tuple(fc.nat(6), fc.nat(6));
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { maxLength: 5 }), async (shapes) => {
        const values = Array.from({ length: 24 }, (_, i) => i + 0.5);
        using matrix = createMatrixFrom(backend, 4, 6, values);
        for (const [rows, columns] of shapes) {
          if (rows * columns > 24) {
            expect(() => matrix.resize(rows, columns)).toThrow(`${rows}×${columns} needs ${rows * columns} numbers`);
          } else {
            expect(matrix.resize(rows, columns)).toBe(matrix);
            expect([...(await read(matrix))]).toEqual(values.slice(0, rows * columns));
          }
        }
        expect(matrix.capacity).toBe(24);
        expect([...(await read(matrix.resize(4, 6)))]).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses sizes that are none, and keeps its shape', () => {
    using matrix = backend.createMatrix(2, 3);
    for (const size of [-1, 1.5, Number.NaN, Infinity]) {
      expect(() => matrix.resize(size, 1)).toThrow(`at least 0, got ${size}`);
      expect(() => backend.createMatrix(size, 1)).toThrow(LinalgError);
    }
    expect(describeShape(matrix)).toBe('2×3');
  });

  it('is released once, and refuses to be resized afterwards', () => {
    const released: unknown[] = [];
    const watched = Object.defineProperty(createPlainBackend(), 'release', {
      value: (handle: unknown) => released.push(handle),
    });
    const matrix = new Matrix(watched, 2, 2, new Float32Array(4));
    matrix[Symbol.dispose]();
    matrix[Symbol.dispose]();
    expect(released).toEqual([matrix]);
    expect(matrix.disposed).toBe(true);
    expect(() => matrix.resize(1, 1)).toThrow('resize: the matrix was disposed (it was 2×2)');
  });

  it('is told apart from a table and from anything else', () => {
    using matrix = backend.createMatrix(1, 1);
    using table = backend.createTable(1, 1);
    expect([isMatrix(matrix), isMatrix(table), isMatrix({}), isMatrix(null)]).toEqual([true, false, false, false]);
    expect([isRowTable(matrix), isRowTable(table), isRowTable('table')]).toEqual([false, true, false]);
  });
});

describe('Indices', () => {
  it('takes over values, with their count and maximum', () => {
    using indices = backend.createIndices(4);
    expect([indices.count, indices.maximum]).toEqual([0, -1]);
    indices.take(Int32Array.of(7, 2, 9), 2);
    expect([indices.count, indices.maximum, indices.values[1]]).toEqual([2, 7, 2]);
  });

  it('keeps what it had when a value is negative', () => {
    using indices = backend.createIndices(2);
    indices.take(Int32Array.of(5), 1);
    expect(() => indices.take(Int32Array.of(1, -3), 2)).toThrow('index -3 at position 1 is negative');
    expect([indices.count, indices.maximum, indices.values[0]]).toEqual([1, 5, 5]);
  });
});
