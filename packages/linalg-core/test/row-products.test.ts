import {
  createMatrixFrom,
  createPlainBackend,
  multiplyRows,
  read,
  rowsOfBlock,
  Workspace,
  writeRows,
  type Backend,
} from '@vastmax/linalg-core';
import { expect, test } from 'vitest';

/** Without views, so that rows are copied. */
function withoutViews(): Backend {
  const backend = createPlainBackend();
  Object.defineProperty(backend, 'viewRows', { value: undefined });
  return backend;
}

test.each([
  ['rows in place', createPlainBackend],
  ['copies of rows', withoutViews],
])('products with ranges of rows, %s', async (_, create) => {
  const backend = create();
  using workspace = new Workspace(backend);
  const width = 3;
  using table = backend.createTable(20_000, width);
  const values = Float32Array.from({ length: 20_000 * width }, (_, i) => (i % 101) - 50);
  writeRows(values, 0, table);
  const block = rowsOfBlock(table);
  using a = createMatrixFrom(backend, 2, width, [1, 2, 3, -1, 0.5, 4]);
  for (const [first, count] of [
    [0, 20_000],
    [block - 1, 2],
    [5, 3],
    [block, block],
    [20_000, 0],
  ] as const) {
    using out = backend.createMatrix(2, count);
    multiplyRows(a, table, first, out, workspace);
    const expected = Array.from({ length: 2 * count }, (_, i) => {
      const at = (first + (i % count)) * width;
      const [x, y, z] = [values[at]!, values[at + 1]!, values[at + 2]!];
      return i < count ? x + 2 * y + 3 * z : -x + 0.5 * y + 4 * z;
    });
    expect([...(await read(out))]).toEqual(expected);
  }
  using out = backend.createMatrix(2, 4);
  expect(() => multiplyRows(a, table, 19_998, out, workspace)).toThrow(/4 rows from 19998 on.*20000/);
});
