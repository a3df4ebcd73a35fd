/**
 * Matrices and index lists as storage: zero fill, round trips, precision, resizing, and sizes that cannot be created.
 */
import { createHostArray, fill, isBackend, read, write, writeIndices } from '@vastmax/linalg-core';
import { expectSame, expectThrows, expectTrue } from '../comparison.ts';
import { ruleCase, type ConformanceCase } from '../conformance-case.ts';
import { knownMatrix, numbersOf, randomMatrix } from '../operands.ts';

const sizes = [
  [1, 1],
  [3, 5],
  [4, 4],
  [63, 65],
  [257, 3],
  [0, 4],
  [4, 0],
] as const;
const absurd = 2 ** 40;

export const storageCases: readonly ConformanceCase[] = [
  ruleCase('identity/brand-specification-name', 'a backend says what it is', async ({ backend }) => {
    expectTrue('isBackend(backend) is false: set [backendBrand]: true', isBackend(backend));
    expectTrue(`specification is ${String(backend.specification)}, expected 1`, backend.specification === 1);
    expectTrue('name is empty', backend.name.length > 0);
    expectTrue(
      `precision is '${String(backend.precision)}'`,
      backend.precision === 'f32' || backend.precision === 'f64',
    );
    expectTrue('disposed is true on a fresh backend', !backend.disposed);
    await backend.synchronize();
  }),
  ruleCase('storage/new-matrix-is-zero', 'new handles are filled with zeros', async ({ scope }) => {
    for (const [rows, columns] of sizes) {
      expectSame(
        `new ${rows}×${columns} matrix`,
        await numbersOf(scope.matrix(rows, columns)),
        new Float64Array(rows * columns),
      );
    }
  }),
  ruleCase('storage/reused-memory-is-zero', 'new handles are filled with zeros', async ({ backend }) => {
    for (let round = 0; round < 3; round++) {
      using matrix = backend.createMatrix(17, 9);
      expectSame(`matrix created in round ${round}`, await read(matrix), new Float64Array(17 * 9));
      fill(Number.NaN, matrix);
    }
  }),
  ruleCase('storage/write-read-round-trip', 'numbers come back as they were written', async (context) => {
    for (const [rows, columns] of sizes) {
      const { matrix, values } = randomMatrix(context, rows, columns);
      expectSame(`${rows}×${columns}`, await numbersOf(matrix), values);
    }
  }),
  ruleCase('storage/special-numbers-round-trip', 'numbers come back as they were written', async (context) => {
    const largest = context.backend.precision === 'f32' ? 3.4028234663852886e38 : Number.MAX_VALUE;
    const { matrix, values } = knownMatrix(context, 1, 6, [Number.NaN, Infinity, -Infinity, largest, -largest, 0]);
    expectSame('special numbers', await numbersOf(matrix), values);
  }),
  ruleCase('storage/precision', 'read returns an array of the precision of the backend', async (context) => {
    const { backend } = context;
    const bytes = backend.precision === 'f32' ? 4 : 8;
    // 1 + ε/… needs every bit of the significand.
    const { matrix, values } = knownMatrix(context, 1, 3, [1 / 3, 1 + 2 ** (bytes === 4 ? -23 : -52), 1e-30]);
    const got = await numbersOf(matrix);
    expectTrue(
      `read gave a ${got.constructor.name} on a ${backend.precision} backend`,
      got.BYTES_PER_ELEMENT === bytes,
    );
    expectSame('numbers with a full significand', got, values);
  }),
  ruleCase('storage/write-takes-any-array', 'write rounds what it is given', async ({ backend, scope }) => {
    const matrix = scope.matrix(2, 2);
    const expected = createHostArray(backend, 4);
    expected.set([0.1, 2, 3, 4]);
    for (const values of [[0.1, 2, 3, 4], Float64Array.of(0.1, 2, 3, 4)]) {
      fill(0, matrix);
      write(values, matrix);
      expectSame(values.constructor.name, await read(matrix), expected);
    }
  }),
  ruleCase('storage/read-into-longer-array', 'read writes the first rows·columns numbers of out', async (context) => {
    const { matrix, values } = randomMatrix(context, 3, 2);
    const out = createHostArray(context.backend, 9).fill(7);
    const returned = await read(matrix, out);
    expectTrue('read did not return the array it was given', returned === out);
    expectSame('out', out, [...values, 7, 7, 7]);
  }),
  ruleCase('resize/keeps-the-numbers', 'a resized matrix is the first rows·columns numbers', async (context) => {
    const { matrix, values } = randomMatrix(context, 6, 4);
    expectSame('3×4 of 6×4', await numbersOf(matrix.resize(3, 4)), values.subarray(0, 12), 4);
    expectSame('4×3, the same numbers', await numbersOf(matrix.resize(4, 3)), values.subarray(0, 12), 3);
    expectSame('0×4', await numbersOf(matrix.resize(0, 4)), []);
    expectSame('6×4 again', await numbersOf(matrix.resize(6, 4)), values, 4);
  }),
  ruleCase(
    'resize/kernels-stay-within-the-shape',
    'a resized matrix is the first rows·columns numbers',
    async (context) => {
      const { matrix, values } = randomMatrix(context, 5, 5);
      fill(3, matrix.resize(2, 3));
      write([1, 2], matrix.resize(1, 2));
      expectSame('the whole room', await numbersOf(matrix.resize(5, 5)), [1, 2, 3, 3, 3, 3, ...values.subarray(6)], 5);
    },
  ),
  ruleCase('resize/beyond-capacity-throws', 'a resized matrix is the first rows·columns numbers', async ({ scope }) => {
    const matrix = scope.matrix(2, 3);
    expectThrows('2×3 to 3×3', 'shape', ['3×3', '9', '6'], () => matrix.resize(3, 3));
    expectTrue('a refused resize changed the shape', matrix.rows === 2 && matrix.columns === 3);
    await Promise.resolve();
  }),
  ruleCase('memory/counts-live-handles', 'memory counts the live handles', async ({ backend }) => {
    const before = backend.memory();
    const bytes = backend.precision === 'f32' ? 4 : 8;
    {
      using matrix = backend.createMatrix(10, 3);
      using table = backend.createTable(20, 3);
      using indices = backend.createIndices(5);
      const during = backend.memory();
      expectTrue(`a matrix of ${matrix.capacity} numbers was not counted`, during.matrices === before.matrices + 1);
      expectTrue(`a table of ${table.rows} rows was not counted`, during.tables === before.tables + 1);
      expectTrue(`an index list of ${indices.capacity} was not counted`, during.indices === before.indices + 1);
      const added = during.bytes - before.bytes;
      expectTrue(`bytes grew by ${added}, there are ${90 * bytes + 20} in the new handles`, added >= 90 * bytes + 20);
    }
    const after = backend.memory();
    expectTrue(`bytes are ${after.bytes} after disposal, were ${before.bytes}`, after.bytes === before.bytes);
    await Promise.resolve();
  }),
  ruleCase(
    'memory/absurd-matrix-is-refused',
    'what does not fit is refused with a typed error',
    async ({ backend }) => {
      expectThrows('a matrix of 2⁶⁰ numbers', 'out-of-memory', [], () => backend.createMatrix(absurd, 2 ** 20));
      await backend.synchronize();
    },
  ),
  ruleCase(
    'memory/absurd-table-is-refused',
    'what does not fit is refused with a typed error',
    async ({ backend, scope }) => {
      expectThrows('a table of 2⁶⁰ numbers', 'out-of-memory', [], () => backend.createTable(2 ** 30, 2 ** 30));
      const table = scope.table(3, 2 ** 20);
      expectThrows('growing a table to 2⁵⁰ numbers', 'out-of-memory', [], () => backend.growTable(table, 2 ** 30));
      expectTrue(`a table that could not grow has ${table.rows} rows, expected 3`, table.rows === 3);
      await backend.synchronize();
    },
  ),
  ruleCase('storage/bad-size-is-refused', 'shapes are whole numbers of at least 0', async ({ backend }) => {
    expectThrows('createMatrix(-1, 3)', 'shape', ['-1'], () => backend.createMatrix(-1, 3));
    expectThrows('createTable(3, 1.5)', 'shape', ['1.5'], () => backend.createTable(3, 1.5));
    expectThrows('createIndices(-2)', 'shape', ['-2'], () => backend.createIndices(-2));
    await Promise.resolve();
  }),
  ruleCase('indices/count-and-maximum', 'indices are known to the host', async ({ scope }) => {
    const indices = scope.indices(8);
    writeIndices(Int32Array.of(3, 9, 1), indices, 2);
    expectTrue(`count ${indices.count}, expected 2`, indices.count === 2);
    expectTrue(`maximum ${indices.maximum}, expected 9`, indices.maximum === 9);
    await Promise.resolve();
  }),
];
