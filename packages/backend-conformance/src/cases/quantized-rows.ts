/**
 * Rows in 8 bits: the codes are near the rows, the stored distance is never too small nor much too large, products are
 * as the codes say, also across two pieces of a table and for rows that cannot be coded.
 */
import {
  codeColumns,
  createHostArray,
  quantizedProducts,
  quantizeRows,
  read,
  readRows,
  writeRows,
  type FloatArray,
  type RowTable,
} from '@vastmax/linalg-core';
import { expectClose, expectTrue } from '../comparison.ts';
import { optionalCase, type CaseContext, type ConformanceCase } from '../conformance-case.ts';
import { knownMatrix, poisonedMatrix } from '../operands.ts';
import { epsilonOf } from '../tolerance.ts';

interface Quantized {
  readonly values: FloatArray;
  readonly codes: RowTable;
  readonly factors: RowTable;
}

const needs = ['quantizeRows', 'quantizedProducts'] as const;

/** A table whose rows `first` … are `values`, quantised; undefined where the backend cannot. */
function quantized(
  { scope, backend }: CaseContext,
  rows: number,
  columns: number,
  first: number,
  given: ArrayLike<number>,
): Quantized | undefined {
  const values = createHostArray(backend, given.length);
  values.set(given);
  const table = scope.table(rows, columns);
  writeRows(values, first, table);
  const codes = scope.table(rows, codeColumns(columns));
  const factors = scope.table(rows, 2);
  const isDone = quantizeRows(table, first, values.length / columns, codes, factors);
  return isDone ? { values, codes, factors } : undefined;
}

/** The codes of rows `first` …, by queries that are 1 in one column; also those beyond the width. */
async function codesOf(
  context: CaseContext,
  { codes, factors }: Quantized,
  first: number,
  count: number,
): Promise<Float64Array[]> {
  const width = 4 * codes.columns;
  const scales = await readRows(factors, first, count);
  const found = Array.from({ length: count }, () => new Float64Array(width));
  for (let column = 0; column < width; column++) {
    const unit = new Float64Array(width);
    unit[column] = 1;
    const out = poisonedMatrix(context, count, 1);
    quantizedProducts(codes, factors, first, knownMatrix(context, 1, width, unit).matrix, out, { alpha: 1, beta: 0 });
    const products = await read(out);
    for (let i = 0; i < count; i++) {
      const scale = scales[2 * i]!;
      const code = scale === 0 ? 0 : Math.round(products[i]! / scale);
      expectClose(`code ${column} of row ${i}`, [products[i]!], [scale * code], [scale * 1e-4]);
      found[i]![column] = code;
    }
  }
  return found;
}

async function checkCodes(context: CaseContext, all: Quantized, columns: number, first: number): Promise<void> {
  const count = all.values.length / columns;
  const factors = await readRows(all.factors, first, count);
  const codes = await codesOf(context, all, first, count);
  for (let i = 0; i < count; i++) {
    const [scale, distance] = [factors[2 * i]!, factors[2 * i + 1]!];
    let sum = 0;
    for (let j = 0; j < 4 * all.codes.columns; j++) {
      const code = codes[i]![j]!;
      const value = j < columns ? all.values[i * columns + j]! : 0;
      expectTrue(`row ${i}, column ${j}: the code ${code} is from −127 to 127`, Math.abs(code) <= 127);
      expectTrue(`row ${i}, column ${j} beyond the width ${columns}: the code ${code} is 0`, j < columns || code === 0);
      sum += (value - scale * code) ** 2;
      if (scale > 0)
        expectTrue(
          `row ${i}, column ${j}: ${value} is near ${scale}·${code}`,
          Math.abs(value - scale * code) <= 0.501 * scale,
        );
    }
    const exact = Math.sqrt(sum);
    expectTrue(`row ${i}: the distance ${distance} is at least ${exact}`, distance >= exact);
    expectTrue(`row ${i}: the distance ${distance} is near ${exact}`, distance <= exact * 1.0001 + 4e-45);
  }
}

async function checkProducts(context: CaseContext, all: Quantized, first: number, count: number): Promise<void> {
  const { codes, factors } = all;
  const width = 4 * codes.columns;
  const found = await codesOf(context, all, first, count);
  const stored = await readRows(factors, first, count);
  const query = Float64Array.from({ length: width }, () => context.random.integer(65_535) - 32_767);
  const out = poisonedMatrix(context, count, 1);
  const settings = { alpha: 0.37, beta: 1.75 };
  quantizedProducts(codes, factors, first, knownMatrix(context, 1, width, query).matrix, out, settings);
  const expected = new Float64Array(count);
  const tolerance = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let product = 0;
    for (let j = 0; j < width; j++) product += found[i]![j]! * query[j]!;
    const near = settings.alpha * stored[2 * i]! * product;
    const far = settings.beta * stored[2 * i + 1]!;
    expected[i] = near + far;
    tolerance[i] = 6 * epsilonOf(context.backend.precision) * (Math.abs(near) + far) + 1e-40;
  }
  expectClose(`quantizedProducts of ${count} rows of ${width} codes`, await read(out), expected, tolerance, 1);
}

export const quantizedRowsCases: readonly ConformanceCase[] = [
  optionalCase('quantized-rows/sizes', 'rows in 8 bits and their products', needs, async (context) => {
    for (const [rows, columns, first, count] of [
      [1, 1, 0, 1],
      [9, 3, 2, 5],
      [40, 16, 0, 40],
      [2100, 33, 17, 11],
      [30, 130, 7, 22],
    ] as const) {
      const values = context.random.values(count * columns, context.backend.precision);
      const all = quantized(context, rows, columns, first, values);
      if (all === undefined) return;
      await checkCodes(context, all, columns, first);
      await checkProducts(context, all, first, count);
    }
  }),
  optionalCase('quantized-rows/many-rows', 'products of more rows than a chunk', needs, async (context) => {
    const [rows, columns] = [5003, 6];
    const values = context.random.values(rows * columns, context.backend.precision);
    const all = quantized(context, rows, columns, 0, values);
    if (all !== undefined) await checkProducts(context, all, 0, rows);
  }),
  optionalCase('quantized-rows/pieces', 'rows across two pieces of a table', needs, async (context) => {
    const { tablePieceBytes, backend } = context;
    // The rows of codes have a quarter of the numbers, so these lie on the boundary of both tables.
    const columns = 256;
    const bytesOfCodes = codeColumns(columns) * (backend.precision === 'f32' ? 4 : 8);
    const boundary = 2 ** Math.floor(Math.log2(tablePieceBytes / bytesOfCodes));
    const values = context.random.values(6 * columns, backend.precision);
    const all = quantized(context, boundary + 4, columns, boundary - 3, values);
    if (all !== undefined) await checkProducts(context, all, boundary - 3, 6);
  }),
  optionalCase(
    'quantized-rows/extremes',
    'rows that have no codes are as far as they are long',
    needs,
    async (context) => {
      const values = [0, 0, 0, 1e-40, -1e-44, 0, 3e38, -1, 2e30, 1, 0, 1e-20, 1e30, 5e29, -1e30, -127, 64, 1];
      const all = quantized(context, 6, 3, 0, values);
      if (all === undefined) return;
      await checkCodes(context, all, 3, 0);
    },
  ),
];
