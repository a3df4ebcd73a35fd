/**
 * Random rows: exactly the numbers that the host draws, for any range of rows and across two pieces of a table; and the
 * host's are those of the definition, computed naively with the engine's own functions.
 */
import {
  createHostArray,
  drawNormalRows,
  fillNormalRows,
  normalKeys,
  readRows,
  writeRows,
  type FloatArray,
} from '@vastmax/linalg-core';
import { expectClose, expectSame } from '../comparison.ts';
import { ruleCase, type CaseContext, type ConformanceCase } from '../conformance-case.ts';

const subject = 'random rows of a table';

/** The finaliser of MurmurHash3. */
function hash(value: bigint): bigint {
  const mask = 0xffffffffn;
  let x = value & mask;
  x = ((x ^ (x >> 16n)) * 0x85ebca6bn) & mask;
  x = ((x ^ (x >> 13n)) * 0xc2b2ae35n) & mask;
  return x ^ (x >> 16n);
}

function naiveNumber(seed: number, row: number, column: number): number {
  const gamma = 0x9e3779b9n;
  const [low, high] = [BigInt(seed) & 0xffffffffn, BigInt(seed) >> 32n];
  const [a, b] = [hash(hash(low + gamma) + high), hash(hash(low + 2n * gamma) + high)];
  const first = hash(a + BigInt(row) * gamma);
  const second = hash(first + b);
  const word = (i: number): number => Number(hash(hash(first + BigInt(i) * gamma) ^ second));
  const even = column - (column % 2);
  const radius = Math.sqrt(-2 * Math.log((word(even) + 1) * 2 ** -32));
  const other = word(even + 1);
  const quarter = Math.floor(other / 2 ** 30);
  const angle = (quarter + ((other % 2 ** 30) + 0.5) * 2 ** -30 - 0.5) * (Math.PI / 2);
  return radius * (column === even ? Math.cos(angle) : Math.sin(angle));
}

async function checkRows(
  { scope, backend }: CaseContext,
  rows: number,
  width: number,
  [first, count]: readonly [number, number],
  options: { readonly seed: number; readonly scale: number; readonly columns?: number },
): Promise<FloatArray> {
  const table = scope.table(rows, width);
  const values = createHostArray(backend, rows * width).fill(7);
  writeRows(values, 0, table);
  fillNormalRows(table, first, count, options);
  const { seed, scale, columns = width } = options;
  values.fill(0, first * width, (first + count) * width);
  drawNormalRows(normalKeys(seed), first, count, scale, columns, values.subarray(first * width), width);
  const found = await readRows(table, 0, rows);
  expectSame(`rows ${first} to ${first + count - 1} of ${rows}×${width}`, found, values, width);
  return found;
}

export const normalRowsCases: readonly ConformanceCase[] = [
  ruleCase('normal-rows/definition', subject, async (context) => {
    for (const seed of [0, 1, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      const found = await checkRows(context, 9, 7, [0, 9], { seed, scale: 1 });
      const expected = Float64Array.from({ length: 63 }, (_, i) => naiveNumber(seed, Math.floor(i / 7), i % 7));
      const tolerance = expected.map((value) => 1e-8 + 1e-7 * Math.abs(value));
      expectClose(`of the seed ${seed}`, found, expected, tolerance, 7);
    }
  }),
  ruleCase('normal-rows/ranges', subject, async (context) => {
    for (const width of [1, 2, 3, 4, 5, 16, 129]) {
      await checkRows(context, 60, width, [13, 40], { seed: 3, scale: 0.01 });
      await checkRows(context, 4, width, [1, 2], { seed: 3, scale: 0.5, columns: width - 1 });
      await checkRows(context, 4, width, [1, 0], { seed: 3, scale: 0.5 });
    }
  }),
  ruleCase('normal-rows/pieces', subject, async (context) => {
    const width = 1024;
    const bytes = context.backend.precision === 'f32' ? 4 : 8;
    const rows = Math.ceil(context.tablePieceBytes / (bytes * width)) + 3;
    await checkRows(context, rows, width, [rows - 7, 7], { seed: 4, scale: 2 });
  }),
];
