import { describe, expect, it } from 'vitest';
import {
  createHostArray,
  createMatrixFrom,
  createPlainBackend,
  growTable,
  memoryDifference,
  probePlainBackend,
  read,
  readRows,
  readSync,
  writeRows,
} from '../../src/index.ts';

describe('storage operations', () => {
  const backend = createPlainBackend();

  it('makes host arrays of the precision', () => {
    expect(createHostArray(backend, 3)).toBeInstanceOf(Float32Array);
    expect(createHostArray(createPlainBackend({ precision: 'f64' }), 3)).toBeInstanceOf(Float64Array);
    expect(probePlainBackend().available).toBe(true);
  });

  it('reads as many numbers as there are, of the right precision', async () => {
    using matrix = createMatrixFrom(backend, 2, 2, [1, 2, 3, 4]);
    await expect(read(matrix, new Float32Array(3))).rejects.toThrow('read: out holds 3 numbers, 4 are to be read');
    await expect(read(matrix, new Float64Array(4))).rejects.toThrow(
      "read: out is a Float64Array, 'plain f32' stores f32; use createHostArray",
    );
    expect([...(await read(matrix))]).toEqual([1, 2, 3, 4]);
  });

  it('gives the type of what it reads into, and numbers that can be added up', async () => {
    using matrix = createMatrixFrom(backend, 2, 2, [1, 2, 3, 4]);
    using table = backend.createTable(2, 1);
    const values: Float32Array = await read(matrix, new Float32Array(4));
    const synchronous: Float32Array = readSync(matrix, new Float32Array(4));
    const rows: Float32Array = await readRows(table, 0, 2, new Float32Array(2));
    expect([values.length, synchronous.length, rows.length]).toEqual([4, 4, 2]);
    const sum: number = (await read(matrix)).reduce((total, value) => total + value, 0);
    const largest: number = readSync(matrix).reduce((best, value) => Math.max(best, value));
    const text: string = (await readRows(table, 0, 2)).reduceRight(
      (all, value, index) => `${all}${index}:${value} `,
      '',
    );
    expect([sum, largest, text]).toEqual([10, 4, '1:0 0:0 ']);
    // An array that may be left out.
    const given = [undefined, new Float32Array(4)] as const;
    for (const out of given) expect((await read(matrix, out)).length).toBe(4);
  });

  it('streams a table by blocks', async () => {
    using table = backend.createTable(5, 2);
    writeRows([1, 2, 3, 4], 3, table);
    expect([...(await readRows(table, 2, 3))]).toEqual([0, 0, 1, 2, 3, 4]);
    expect(() => writeRows([1, 2, 3], 0, table)).toThrow('writeRows: 3 values are not whole rows of 2 columns');
    await expect(readRows(table, 4, 2)).rejects.toThrow('readRows: 2 rows from 4 on were asked for, there are 5');
  });

  it('grows a table, and never shrinks it', () => {
    using table = backend.createTable(5, 2);
    const before = backend.memory();
    growTable(table, 8);
    expect(memoryDifference(backend.memory(), before)).toEqual({
      matrices: 0,
      tables: 0,
      indices: 0,
      bytes: 3 * 2 * 4,
    });
    expect(() => growTable(table, 7)).toThrow('growTable: the table has 8 rows, cannot become 7; a table only grows');
  });
});
