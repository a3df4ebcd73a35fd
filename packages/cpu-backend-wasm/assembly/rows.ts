/**
 * Rows of a matrix or a table by index. A matrix has its rows one after the other; a table has them in pieces, and a
 * directory of the pieces' offsets. Repeated indices of addRows accumulate in the order of the list; of
 * scatterRows the last stays.
 */
import { axpyRange, copyColumns } from './dense';
import { addRowsJob, argument, gatherRowsJob, real, setArgument, setReal, size } from './job';
import { storePart } from './partial-vector';
import { isShared, run } from './run';

/**
 * Where a row is.
 * @param rows of a matrix: its first row. Of a table: its directory.
 * @param shift a piece has 2^shift rows; −1 for a matrix
 */
export function rowAt(rows: usize, shift: i32, row: u32, bytes: usize): usize {
  if (shift < 0) return rows + <usize>row * bytes;
  return <usize>load<u32>(rows + ((<usize>(row >> shift)) << 2)) + <usize>(row & ((1 << shift) - 1)) * bytes;
}

/** Numbers in a chunk: some microseconds. */
const numbersPerChunk: i32 = 16_384;

export function rowsPerChunk(columns: i32): i32 {
  return max(1, numbersPerChunk / max(1, columns));
}

export function gatherRows(rows: usize, shift: i32, indices: usize, count: i32, columns: i32, out: usize): void {
  setArgument(0, rows);
  setArgument(1, shift);
  setArgument(2, indices);
  setArgument(3, count);
  setArgument(4, columns);
  setArgument(5, out);
  const each = rowsPerChunk(columns);
  run(gatherRowsJob, (count + each - 1) / each);
}

export function gatherRowsChunk(chunk: i32): void {
  const shift = size(1);
  const columns = size(4);
  const bytes = (<usize>columns) << 2;
  const each = rowsPerChunk(columns);
  const first = chunk * each;
  const last = min(first + each, size(3));
  const indices = argument(2);
  let out = argument(5) + <usize>first * bytes;
  for (let i = first; i < last; i++, out += bytes) {
    const row = load<u32>(indices + ((<usize>i) << 2));
    copyColumns(rowAt(argument(0), shift, row, bytes), columns, out, columns, 1, columns);
  }
}

/**
 * Chunks of addRows at most. Each adds the rows that it owns, those whose number has its own lowest bits, in the order of
 * the list: so none adds to what another has written, and the sums do not depend on how many there are.
 */
const maxAddChunks: i32 = 8;

/**
 * out[outIndices_i] += scale·values_i·source[sourceIndices_i], one after another.
 * @param sourceIndices 0 for the rows of a matrix in their order
 * @param values 0 for all 1
 */
export function addRows(
  source: usize,
  sourceShift: i32,
  sourceIndices: usize,
  values: usize,
  scale: f32,
  count: i32,
  columns: i32,
  out: usize,
  outShift: i32,
  outIndices: usize,
): void {
  setArgument(0, source);
  setArgument(1, sourceShift);
  setArgument(2, sourceIndices);
  setArgument(3, values);
  setReal(4, scale);
  setArgument(5, count);
  setArgument(6, columns);
  setArgument(7, out);
  setArgument(8, outShift);
  setArgument(9, outIndices);
  run(addRowsJob, isShared() ? addChunks(<i64>count * <i64>columns) : 1);
}

/** A power of two. */
function addChunks(numbers: i64): i32 {
  let chunks = 1;
  while (chunks < maxAddChunks && <i64>chunks * <i64>numbersPerChunk < numbers) chunks *= 2;
  return chunks;
}

/** @param chunks how many there are */
export function addRowsChunk(chunk: i32, chunks: i32): void {
  const sourceIndices = argument(2);
  const values = argument(3);
  const scale = <f32>real(4);
  const count = size(5);
  const columns = size(6);
  const outIndices = argument(9);
  const bytes = (<usize>columns) << 2;
  const owner = <u32>chunk;
  const bits = <u32>(chunks - 1);
  for (let i = 0; i < count;) {
    const at = (<usize>i) << 2;
    const row = load<u32>(outIndices + at);
    if ((row & bits) != owner) {
      i++;
      continue;
    }
    const to = rowAt(argument(7), size(8), row, bytes);
    if (i + 4 <= count && isRun(outIndices + at, row)) {
      addFourRows(
        sourceAt(i, sourceIndices, bytes),
        sourceAt(i + 1, sourceIndices, bytes),
        sourceAt(i + 2, sourceIndices, bytes),
        sourceAt(i + 3, sourceIndices, bytes),
        values == 0 ? scale : scale * load<f32>(values + at),
        values == 0 ? scale : scale * load<f32>(values + at, 4),
        values == 0 ? scale : scale * load<f32>(values + at, 8),
        values == 0 ? scale : scale * load<f32>(values + at, 12),
        to,
        columns,
      );
      i += 4;
      continue;
    }
    if (i + ahead < count) {
      const next = load<u32>(outIndices + at, ahead << 2);
      if (next != row && (next & bits) == owner) fetchRow(rowAt(argument(7), size(8), next, bytes), bytes);
    }
    axpyRange(values == 0 ? scale : scale * load<f32>(values + at), sourceAt(i, sourceIndices, bytes), to, columns);
    i++;
  }
}

function sourceAt(i: i32, sourceIndices: usize, bytes: usize): usize {
  return rowAt(argument(0), size(1), sourceIndices == 0 ? i : load<u32>(sourceIndices + ((<usize>i) << 2)), bytes);
}

/** Whether the next three entries go to the same row. */
function isRun(at: usize, row: u32): bool {
  return load<u32>(at, 4) == row && load<u32>(at, 8) == row && load<u32>(at, 12) == row;
}

/** How many entries before it is needed a row is fetched. */
const ahead: i32 = 2;

/**
 * Has the processor fetch a row that is needed soon: there is no instruction for it, but a load whose value is dropped
 * does not wait. Rows of a large table are in no cache, and one row is too short for the processor to foresee the next.
 */
export function fetchRow(at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += 64) load<u8>(at);
}

/** out = (((out + a·f) + b·g) + c·h) + d·k: as one after another, with one load and store of out; four rows come at once. */
export function addFourRows(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  f: f32,
  g: f32,
  h: f32,
  k: f32,
  out: usize,
  columns: i32,
): void {
  const first = f32x4.splat(f);
  const second = f32x4.splat(g);
  const third = f32x4.splat(h);
  const fourth = f32x4.splat(k);
  for (let left = columns; left > 0; left -= 4, a += 16, b += 16, c += 16, d += 16, out += 16) {
    let sum = f32x4.add(v128.load(out), f32x4.mul(first, v128.load(a)));
    sum = f32x4.add(sum, f32x4.mul(second, v128.load(b)));
    sum = f32x4.add(sum, f32x4.mul(third, v128.load(c)));
    sum = f32x4.add(sum, f32x4.mul(fourth, v128.load(d)));
    if (left >= 4) v128.store(out, sum);
    else storePart(out, sum, left);
  }
}

export function scatterRows(source: usize, indices: usize, count: i32, columns: i32, rows: usize, shift: i32): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, source += bytes) {
    copyColumns(source, columns, rowAt(rows, shift, load<u32>(indices), bytes), columns, 1, columns);
  }
}
