/** Tables as storage: zero fill, rows in and out, growth, and tables of more than one piece. */
import { gatherRows, growTable, read, readRows, scatterRows, writeRows, type RowTable } from '@vastmax/linalg-core';
import { expectSame, expectThrows, expectTrue } from '../comparison.ts';
import { ruleCase, type CaseContext, type ConformanceCase } from '../conformance-case.ts';
import { knownIndices, randomMatrix } from '../operands.ts';

const width = 3;

/** A table of more than two pieces of narrow rows, and the rows on both sides of every possible boundary. */
function largeTable(context: CaseContext): { table: RowTable; probes: number[] } {
  const bytesPerRow = width * (context.backend.precision === 'f32' ? 4 : 8);
  const rows = Math.ceil((2.2 * context.tablePieceBytes) / bytesPerRow);
  const table = context.scope.table(rows, width);
  const boundaries = new Set([0, rows]);
  for (let piece = 1; piece <= 4; piece++) {
    // Pieces may end at a number of bytes, or at a power of two of rows.
    boundaries.add(Math.floor((piece * context.tablePieceBytes) / bytesPerRow));
    boundaries.add(piece * 2 ** Math.floor(Math.log2(context.tablePieceBytes / bytesPerRow)));
  }
  const probes = [...boundaries]
    .flatMap((seam) => [seam - 2, seam - 1, seam, seam + 1])
    .filter((row) => row >= 0 && row < rows);
  return { table, probes: [...new Set(probes)].sort((a, b) => a - b) };
}

export const tableCases: readonly ConformanceCase[] = [
  ruleCase('table/new-table-is-zero', 'new handles are filled with zeros', async ({ backend }) => {
    for (const [rows, columns] of [
      [1, 1],
      [7, 5],
      [1000, 3],
      [0, 4],
      [4, 0],
    ] as const) {
      for (let round = 0; round < 2; round++) {
        using table = backend.createTable(rows, columns);
        expectSame(
          `new ${rows}×${columns} table`,
          await readRows(table, 0, rows),
          new Float64Array(rows * columns),
          columns,
        );
        writeRows(new Float64Array(rows * columns).fill(Number.NaN), 0, table);
      }
    }
  }),
  ruleCase('table/write-rows-read-rows', 'rows come back as they were written', async (context) => {
    const table = context.scope.table(100, 5);
    const expected = new Float64Array(500);
    for (const [first, count] of [
      [0, 1],
      [99, 1],
      [10, 30],
      [25, 7],
      [50, 0],
      [100, 0],
    ] as const) {
      const values = context.random.values(count * 5, context.backend.precision);
      writeRows(values, first, table);
      expected.set(values, first * 5);
      expectSame(`rows ${first} to ${first + count}`, await readRows(table, first, count), values, 5);
    }
    expectSame('the whole table', await readRows(table, 0, 100), expected, 5);
  }),
  ruleCase('table/read-rows-as-of-the-call', 'read returns the value as of the call', async (context) => {
    const table = context.scope.table(50, 4);
    const values = context.random.values(200, context.backend.precision);
    writeRows(values, 0, table);
    const reading = readRows(table, 10, 20);
    writeRows(new Float64Array(200).fill(9), 0, table);
    expectSame('rows as of the call', await reading, values.subarray(40, 120), 4);
  }),
  ruleCase('table/grow-keeps-old-rows-and-zeroes-new-ones', 'a table grows by zero rows', async (context) => {
    const table = context.scope.table(3, 5);
    let expected = Array.from(context.random.values(15, context.backend.precision));
    writeRows(expected, 0, table);
    for (const rows of [4, 4, 5, 37, 1000]) {
      growTable(table, rows);
      expectTrue(`the table has ${table.rows} rows, was grown to ${rows}`, table.rows === rows);
      expected = [...expected, ...new Array<number>(rows * 5 - expected.length).fill(0)];
      expectSame(`grown to ${rows} rows`, await readRows(table, 0, rows), expected, 5);
      const last = context.random.values(5, context.backend.precision);
      writeRows(last, rows - 1, table);
      expected.splice((rows - 1) * 5, 5, ...last);
    }
  }),
  ruleCase('table/grow-from-nothing', 'a table grows by zero rows', async (context) => {
    const table = context.scope.table(0, 4);
    growTable(table, 3);
    expectSame('grown from 0 to 3 rows', await readRows(table, 0, 3), new Float64Array(12), 4);
  }),
  ruleCase('table/grow-is-counted', 'memory counts the live handles', async ({ backend, scope }) => {
    const table = scope.table(10, 8);
    const before = backend.memory().bytes;
    growTable(table, 110);
    const added = backend.memory().bytes - before;
    const expected = 800 * (backend.precision === 'f32' ? 4 : 8);
    expectTrue(`memory().bytes grew by ${added}, 100 rows of 8 are ${expected}`, added >= expected);
    await Promise.resolve();
  }),
  ruleCase('table/shrinking-is-refused', 'a table grows by zero rows', async ({ scope }) => {
    const table = scope.table(5, 2);
    expectThrows('growTable(table, 4)', 'shape', ['5', '4'], () => growTable(table, 4));
    await Promise.resolve();
  }),
  ruleCase('table/larger-than-one-piece/rows', 'a table may be larger than one piece', async (context) => {
    const { table, probes } = largeTable(context);
    for (const row of probes) writeRows([row, row + 0.5, -row], row, table);
    const expected = probes
      .flatMap((row) => [row, row + 0.5, -row])
      .map(context.backend.precision === 'f32' ? Math.fround : Number);
    for (const [i, row] of probes.entries()) {
      expectSame(`row ${row}`, await readRows(table, row, 1), expected.slice(i * width, (i + 1) * width));
    }
    const out = context.scope.matrix(probes.length, width);
    gatherRows(table, knownIndices(context, probes), out);
    expectSame('gathered around the boundaries', await read(out), expected, width);
  }),
  ruleCase('table/larger-than-one-piece/blocks', 'a table may be larger than one piece', async (context) => {
    const { table, probes } = largeTable(context);
    const block = 64;
    for (const probe of probes) {
      const first = Math.max(0, Math.min(probe - block / 2, table.rows - block));
      const values = context.random.values(block * width, context.backend.precision);
      writeRows(values, first, table);
      expectSame(`${block} rows from ${first}`, await readRows(table, first, block), values, width);
    }
  }),
  ruleCase('table/larger-than-one-piece/scatter', 'a table may be larger than one piece', async (context) => {
    const { table, probes } = largeTable(context);
    const source = randomMatrix(context, probes.length, width);
    scatterRows(source.matrix, knownIndices(context, probes), table);
    for (const [i, row] of probes.entries()) {
      expectSame(`row ${row}`, await readRows(table, row, 1), source.values.subarray(i * width, (i + 1) * width));
    }
  }),
  ruleCase('table/grows-across-pieces', 'a table grows by zero rows', async (context) => {
    const bytesPerRow = width * (context.backend.precision === 'f32' ? 4 : 8);
    const table = context.scope.table(1000, width);
    const values = context.random.values(1000 * width, context.backend.precision);
    writeRows(values, 0, table);
    const rows = Math.ceil((1.3 * context.tablePieceBytes) / bytesPerRow);
    growTable(table, rows);
    expectSame('the old rows', await readRows(table, 0, 1000), values, width);
    expectSame('the last new rows', await readRows(table, rows - 50, 50), new Float64Array(50 * width), width);
  }),
];
