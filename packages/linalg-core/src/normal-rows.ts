/**
 * Random rows of a table: each number is a function of the seed, its row and its column, so that rows can be drawn in any
 * order, by any number of threads and on any machine, and are the same.
 *
 * Words: h(h(k₁ + i·γ) ^ k₂) for the i-th word of a row with h the finaliser of MurmurHash3 (Austin Appleby, public
 * domain) and keys k₁, k₂ of the row; two keys, because rows whose k₁ differ by a few γ would else share their words.
 * Numbers: Box and Muller (1958), two of two words. Logarithm, sine and cosine are polynomials (errors below 10⁻⁹) and
 * not those of the engine, which may round differently: all operations are those that IEEE 754 rounds in one way, and
 * kernels do them in this order in f64. No number is beyond 6.7.
 */
import type { RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import { checkAlive, checkFinite, checkRange, createHostArray, writeRows } from './storage.ts';

const gamma = 0x9e3779b9;

function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Of the rows that are drawn. */
export interface NormalRowsOptions {
  /** A whole number from 0 to 2⁵³ − 1. */
  readonly seed: number;
  /** Standard deviation. */
  readonly scale: number;
  /** How many numbers of each row are drawn, the first ones; the others become 0. All unless given. */
  readonly columns?: number;
}

/** What a kernel draws with, besides row and column. */
export type NormalKeys = readonly [number, number];

/** @throws LinalgError `bad-option` for a seed that is no whole number from 0 to 2⁵³ − 1. */
export function normalKeys(seed: number): NormalKeys {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new LinalgError('bad-option', `normalKeys: seed must be a whole number from 0 to 2⁵³ − 1, got ${seed}`);
  const high = Math.floor(seed / 2 ** 32);
  return [mix(mix((seed | 0) + gamma) + high), mix(mix((seed | 0) + 2 * gamma) + high)];
}

/**
 * Draws rows `firstRow` … of a table: normally distributed, the same numbers for the same seed on every backend, but for
 * their rounding to its precision. O(count·columns).
 * @throws LinalgError `index-out-of-range`, `bad-option`, `disposed`.
 */
export function fillNormalRows(table: RowTable, firstRow: number, count: number, options: NormalRowsOptions): void {
  const operation = 'fillNormalRows';
  const { backend } = table;
  const { seed, scale, columns = table.columns } = options;
  checkAlive(operation, 'table', table);
  checkRange(operation, 'rows', firstRow, count, table.rows);
  checkRange(operation, 'columns', 0, columns, table.columns);
  checkFinite(operation, 'scale', scale);
  const keys = normalKeys(seed);
  if (
    count === 0 ||
    table.columns === 0 ||
    backend.fillNormalRows?.(table, firstRow, count, columns, keys, scale) === true
  )
    return;
  const width = table.columns;
  const rowsPerBlock = Math.max(1, Math.floor(65_536 / width));
  const block = createHostArray(backend, Math.min(count, rowsPerBlock) * width);
  for (let done = 0; done < count; done += rowsPerBlock) {
    const rows = Math.min(rowsPerBlock, count - done);
    drawNormalRows(keys, firstRow + done, rows, scale, columns, block, width);
    writeRows(block.subarray(0, rows * width), firstRow + done, table);
  }
}

const powers = Float64Array.from({ length: 33 }, (_, exponent) => 2 ** -exponent);
const pair = new Float64Array(2);

/**
 * The same into an array: the first `columns` numbers of rows `stride` numbers apart.
 * @param keys of `normalKeys`.
 */
export function drawNormalRows(
  [firstKey, secondKey]: NormalKeys,
  firstRow: number,
  count: number,
  scale: number,
  columns: number,
  out: Float32Array | Float64Array,
  stride: number,
): void {
  for (let row = 0; row < count; row++) {
    const k1 = mix(firstKey + Math.imul(firstRow + row, gamma));
    const k2 = mix(k1 + secondKey);
    let at = row * stride;
    for (let column = 0; column < columns; column += 2, at += 2) {
      drawPair(
        mix(mix(k1 + Math.imul(column, gamma)) ^ k2) >>> 0,
        mix(mix(k1 + Math.imul(column + 1, gamma)) ^ k2) >>> 0,
      );
      out[at] = scale * pair[0]!;
      if (column + 1 < columns) out[at + 1] = scale * pair[1]!;
    }
  }
}

/** Two normal numbers of two words. */
function drawPair(first: number, second: number): void {
  // u = 2⁻³²·(first + 1) = m·2^(e − 32) with m from √½ to √2.
  const word = first + 1;
  let e = word === 2 ** 32 ? 32 : 31 - Math.clz32(word);
  let m = word * powers[e]!;
  if (m >= Math.SQRT2) {
    m *= 0.5;
    e++;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  const log = s * (2 + z * (2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * (2 / 11))))));
  const radius = Math.sqrt(-2 * ((e - 32) * Math.LN2 + log));
  // The upper two bits are a quarter of the circle, the others a place in it, from its middle.
  const quarter = second >>> 30;
  const angle = (((second & 0x3fffffff) + 0.5) * 2 ** -30 - 0.5) * (Math.PI / 2);
  const y = angle * angle;
  const sine = angle * (1 + y * (-1 / 6 + y * (1 / 120 + y * (-1 / 5040 + y * (1 / 362880 + y * (-1 / 39916800))))));
  const cosine = 1 + y * (-1 / 2 + y * (1 / 24 + y * (-1 / 720 + y * (1 / 40320 + y * (-1 / 3628800)))));
  const [x0, x1] = (quarter & 1) === 0 ? [cosine, sine] : [sine, cosine];
  pair[0] = quarter === 1 || quarter === 2 ? -(radius * x0) : radius * x0;
  pair[1] = quarter >= 2 ? -(radius * x1) : radius * x1;
}
