/**
 * A table in host memory: its rows in pieces of at most 16 MiB, and the row kernels over them and over one array. One
 * typed array would be simpler, but a table of 10⁷ rows exceeds what an engine allows one array to hold, and growing it
 * would copy everything; here growth copies at most the last piece, and memory is exactly the rows. For the plain
 * backend and every backend whose own memory is too small for its tables. Row kernels take offsets in numbers and check
 * nothing.
 */
import { LinalgError } from './errors.ts';
import type { FloatArray, Precision } from './kernel-types.ts';

const bytesPerPiece = 16 * 1024 * 1024;
/**
 * A table may not be larger than this or than the host's memory, where that is known; it is rejected before anything is
 * allocated. An engine allocates zeroed pages beyond the memory there is, so that an absurd table would take minutes of
 * small allocations before one failed (Linux lets a process map some 65,000 regions, which is 1 TiB of pieces), and a
 * process with one that is only too large would be killed while filling it.
 */
const maxBytes = 2 ** 40;
/** Row numbers are 32-bit. */
const maxRows = 2 ** 31 - 1;

/** The rows of a table as the row kernels of this file see them, wherever the arrays are. */
export interface TableRows {
  readonly pieces: readonly FloatArray[];
  /** Row r is in piece r >> shift, at (r & mask)·columns. */
  readonly shift: number;
  readonly mask: number;
  readonly columns: number;
}

/** A table in host memory, in pieces that no single array limits; new rows do not move the old ones. */
export class TablePieces implements TableRows {
  readonly pieces: FloatArray[] = [];
  readonly shift: number;
  readonly mask: number;
  readonly columns: number;
  readonly #precision: Precision;

  constructor(columns: number, precision: Precision) {
    const rowBytes = Math.max(1, columns * bytesOf(precision));
    this.shift = Math.max(0, Math.floor(Math.log2(bytesPerPiece / rowBytes)));
    this.mask = 2 ** this.shift - 1;
    this.columns = columns;
    this.#precision = precision;
  }

  /** Capacity for `rows` rows in all. @throws LinalgError `out-of-memory`; the table is then unchanged. */
  grow(rows: number): void {
    if (rows > maxRows) {
      throw new LinalgError('out-of-memory', `a table of ${rows} rows: at most ${maxRows} rows can be addressed`);
    }
    const numbers = rows * this.columns;
    if (numbers * bytesOf(this.#precision) > Math.min(maxBytes, findHostMemory() ?? maxBytes))
      throw outOfMemory(numbers, this.#precision);
    const perPiece = this.mask + 1;
    const first = Math.max(0, this.pieces.length - 1);
    const added: FloatArray[] = [];
    for (let index = first; index * perPiece < rows; index++) {
      const length = Math.min(perPiece, rows - index * perPiece) * this.columns;
      const old = this.pieces[index];
      if (old !== undefined && old.length >= length) {
        added.push(old);
        continue;
      }
      const piece = allocate(length, this.#precision, numbers);
      if (old !== undefined) piece.set(old);
      added.push(piece);
    }
    this.pieces.splice(first, this.pieces.length - first, ...added);
  }
}

/** A zeroed array. @throws LinalgError `out-of-memory`, saying how much was requested. */
export function allocate(length: number, precision: Precision, wanted: number = length): FloatArray {
  try {
    return precision === 'f32' ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw outOfMemory(wanted, precision, { cause });
  }
}

function bytesOf(precision: Precision): number {
  return precision === 'f32' ? 4 : 8;
}

function outOfMemory(numbers: number, precision: Precision, options?: ErrorOptions): LinalgError {
  const mebibytes = ((numbers * bytesOf(precision)) / 2 ** 20).toFixed(1);
  const available = findHostMemory();
  const has = available === undefined ? '' : `; this machine has ${(available / 2 ** 20).toFixed(1)} MiB`;
  return new LinalgError(
    'out-of-memory',
    `could not allocate ${numbers} numbers of ${precision} (${mebibytes} MiB); use fewer rows or columns, or f32${has}`,
    options,
  );
}

interface Host {
  readonly process?: {
    /** Node: the limit of a container, 0 or absurdly large when there is none. */
    constrainedMemory?(): number;
    getBuiltinModule?(name: string): unknown;
  };
}

/** The host's memory in bytes; undefined in a browser, which rejects large allocations early by itself. */
function findHostMemory(): number | undefined {
  const { process } = globalThis as unknown as Host;
  const system = process?.getBuiltinModule?.('node:os') as { totalmem?(): number } | undefined;
  const total = system?.totalmem?.();
  if (total === undefined) return undefined;
  const limit = process?.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(total, limit) : total;
}

/** From here on a view and `set` are faster than a loop. */
const longRow = 48;

function copyNumbers(source: FloatArray, from: number, count: number, target: FloatArray, to: number): void {
  if (count >= longRow) target.set(source.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}

/** rows[offset + i·columns …] = table[indices_i]. */
export function gatherTableRows(
  table: TableRows,
  indices: Int32Array,
  count: number,
  rows: FloatArray,
  offset: number,
): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, to = offset; i < count; i++, to += columns) {
    const index = indices[i]!;
    copyNumbers(pieces[index >> shift]!, (index & mask) * columns, columns, rows, to);
  }
}

/** What `addTableRows` adds. */
export interface AddedRows {
  /** The first `count`: where each product goes. */
  readonly outIndices: Int32Array;
  readonly count: number;
  /** Which row of the source it is; left out: the i-th. */
  readonly sourceIndices?: Int32Array | undefined;
  /** Factor of each row; left out: 1. */
  readonly values?: FloatArray | undefined;
  /** Factor of all. */
  readonly scale: number;
  /**
   * Each factor and product is rounded to f32, as by a processor with vectors of f32: the numbers are then the same on
   * either side of a backend that has tables of its own and tables here. Else only the sum is, when it is stored.
   */
  readonly isSingle: boolean;
}

/**
 * out[outIndices_i] += scale·values_i·source[sourceIndices_i], one after another, so that repeated indices accumulate in
 * the same order every time.
 */
export function addTableRows(rows: AddedRows, source: TableRows, out: TableRows): void {
  const { outIndices, count, sourceIndices, values, isSingle } = rows;
  const { columns } = out;
  const scale = isSingle ? Math.fround(rows.scale) : rows.scale;
  for (let i = 0; i < count; i++) {
    const row = outIndices[i]!;
    const sourceRow = sourceIndices === undefined ? i : sourceIndices[i]!;
    const product = values === undefined ? scale : scale * values[i]!;
    const factor = isSingle ? Math.fround(product) : product;
    const sourcePiece = source.pieces[sourceRow >> source.shift]!;
    const piece = out.pieces[row >> out.shift]!;
    let from = (sourceRow & source.mask) * columns;
    let to = (row & out.mask) * columns;
    const end = to + columns;
    if (isSingle) for (; to < end; from++, to++) piece[to] = piece[to]! + Math.fround(factor * sourcePiece[from]!);
    else for (; to < end; from++, to++) piece[to] = piece[to]! + factor * sourcePiece[from]!;
  }
}

/** out_i = a[aIndices_i] · b[bIndices_i], in f64 and rounded once. */
export function dotTableRows(
  a: TableRows,
  aIndices: Int32Array,
  b: TableRows,
  bIndices: Int32Array,
  count: number,
  out: FloatArray,
): void {
  const { columns } = a;
  for (let i = 0; i < count; i++) {
    const row = aIndices[i]!;
    const other = bIndices[i]!;
    const piece = a.pieces[row >> a.shift]!;
    const otherPiece = b.pieces[other >> b.shift]!;
    let from = (row & a.mask) * columns;
    let otherFrom = (other & b.mask) * columns;
    let sum = 0;
    for (const end = from + columns; from < end; from++, otherFrom++) sum += piece[from]! * otherPiece[otherFrom]!;
    out[i] = sum;
  }
}

/** One array as the rows of a table. */
export function arrayRows(array: FloatArray, columns: number): TableRows {
  // Indices have 31 bits: all are in piece 0.
  return { pieces: [array], shift: 31, mask: 2 ** 31 - 1, columns };
}

/** table[indices_i] = rows[offset + i·columns …]; of a repeated index the last stays. */
export function scatterTableRows(
  rows: FloatArray,
  offset: number,
  indices: Int32Array,
  count: number,
  table: TableRows,
): void {
  const { pieces, shift, mask, columns } = table;
  for (let i = 0, from = offset; i < count; i++, from += columns) {
    const index = indices[i]!;
    copyNumbers(rows, from, columns, pieces[index >> shift]!, (index & mask) * columns);
  }
}

/** table[firstRow …] = values, `count` rows. */
export function writeTableRows(values: ArrayLike<number>, firstRow: number, count: number, table: TableRows): void {
  const { pieces, shift, mask, columns } = table;
  const isTyped = values instanceof Float32Array || values instanceof Float64Array;
  for (let row = firstRow, end = firstRow + count; row < end;) {
    // The rows of one piece are one copy.
    const next = Math.min(end, (row | mask) + 1);
    const from = (row - firstRow) * columns;
    const length = (next - row) * columns;
    const piece = pieces[row >> shift]!;
    const to = (row & mask) * columns;
    if (isTyped) piece.set(values.subarray(from, from + length), to);
    else for (let i = 0; i < length; i++) piece[to + i] = values[from + i]!;
    row = next;
  }
}

/** out = table[firstRow …], `count` rows. */
export function readTableRows(table: TableRows, firstRow: number, count: number, out: FloatArray): void {
  const { pieces, shift, mask, columns } = table;
  for (let row = firstRow, end = firstRow + count; row < end;) {
    // The rows of one piece are one copy.
    const next = Math.min(end, (row | mask) + 1);
    const from = (row & mask) * columns;
    out.set(pieces[row >> shift]!.subarray(from, from + (next - row) * columns), (row - firstRow) * columns);
    row = next;
  }
}

/** The same over one array, rows of `columns` numbers: the rows of a matrix. rows_i = source[indices_i]. */
export function gatherArrayRows(
  source: FloatArray,
  indices: Int32Array,
  count: number,
  columns: number,
  rows: FloatArray,
): void {
  for (let i = 0, to = 0; i < count; i++) {
    let from = indices[i]! * columns;
    for (const end = to + columns; to < end; from++, to++) rows[to] = source[from]!;
  }
}

/** out[indices_i] = rows_i; of a repeated index the last stays. */
export function scatterArrayRows(
  rows: FloatArray,
  indices: Int32Array,
  count: number,
  columns: number,
  out: FloatArray,
): void {
  for (let i = 0, from = 0; i < count; i++) {
    let to = indices[i]! * columns;
    for (const end = from + columns; from < end; from++, to++) out[to] = rows[from]!;
  }
}
