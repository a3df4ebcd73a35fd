/**
 * Softmax over ranges of rows, such as the children of nodes of a tree: the rows are used where they are. Cut into
 * ranges; in an update, whose ranges may be the same several times, those of equal starts belong to the chunk of the
 * first of them.
 */
import { axpyRange, fill } from './dense';
import { exponentiate, maximumOf, setConstants } from './exponentiate-rows';
import { dot } from './gemm-vector';
import {
  argument,
  combineRangesJob,
  exponentiateRangesJob,
  real,
  setArgument,
  setReal,
  size,
  updateRangesJob,
} from './job';
import { addFourRows, fetchRow, rowAt, rowsPerChunk } from './rows';
import { run } from './run';

/** @param rows of the table, `n` of a range */
export function exponentiateRanges(
  table: usize,
  shift: i32,
  rows: i32,
  starts: usize,
  source: usize,
  sourceIndices: usize,
  count: i32,
  n: i32,
  columns: i32,
  out: usize,
  maxima: usize,
  sums: usize,
): void {
  setRanges(table, shift, rows, starts, count, n, columns);
  setArgument(7, source);
  setArgument(8, sourceIndices);
  setArgument(9, out);
  setArgument(10, maxima);
  setArgument(11, sums);
  setConstants();
  run(exponentiateRangesJob, chunksOf(count, n, columns));
}

export function exponentiateRangesChunk(chunk: i32): void {
  const n = size(5);
  const columns = size(6);
  const bytes = (<usize>columns) << 2;
  const each = rangesPerChunk(n, columns);
  const end = min(size(4), (chunk + 1) * each);
  for (let range = chunk * each; range < end; range++) {
    const start = startOf(range);
    const present = min(n, size(2) - start);
    const hidden = argument(7) + <usize>load<u32>(argument(8) + ((<usize>range) << 2)) * bytes;
    const out = argument(9) + ((<usize>range * <usize>n) << 2);
    for (let j = 0; j < present; j++) {
      const row = rowAt(argument(0), size(1), start + j, bytes);
      if (j + 1 < present) fetchRow(rowAt(argument(0), size(1), start + j + 1, bytes), bytes);
      store<f32>(out + ((<usize>j) << 2), dot(columns, row, hidden));
    }
    // Their exponentials are 0.
    if (present < n) fill(-Infinity, out + ((<usize>present) << 2), n - present);
    const at = (<usize>range) << 2;
    const maximum = maximumOf(out, present);
    store<f32>(argument(10) + at, maximum);
    store<f32>(argument(11) + at, <f32>exponentiate(out, n, maximum));
  }
}

export function combineRanges(
  table: usize,
  shift: i32,
  rows: i32,
  starts: usize,
  factors: usize,
  count: i32,
  n: i32,
  columns: i32,
  out: usize,
): void {
  setRanges(table, shift, rows, starts, count, n, columns);
  setArgument(7, factors);
  setArgument(8, out);
  run(combineRangesJob, chunksOf(count, n, columns));
}

export function combineRangesChunk(chunk: i32): void {
  const n = size(5);
  const columns = size(6);
  const bytes = (<usize>columns) << 2;
  const each = rangesPerChunk(n, columns);
  const end = min(size(4), (chunk + 1) * each);
  for (let range = chunk * each; range < end; range++) {
    const start = startOf(range);
    const present = min(n, size(2) - start);
    let factors = argument(7) + ((<usize>range * <usize>n) << 2);
    const out = argument(8) + <usize>range * bytes;
    fill(0, out, columns);
    let j = 0;
    for (; j + 4 <= present; j += 4, factors += 16) {
      addFourRows(
        tableRow(start + j, bytes),
        tableRow(start + j + 1, bytes),
        tableRow(start + j + 2, bytes),
        tableRow(start + j + 3, bytes),
        load<f32>(factors),
        load<f32>(factors, 4),
        load<f32>(factors, 8),
        load<f32>(factors, 12),
        out,
        columns,
      );
    }
    for (; j < present; j++, factors += 4) axpyRange(load<f32>(factors), tableRow(start + j, bytes), out, columns);
  }
}

/** @param shift −1 where the rows that change are those of a matrix */
export function updateRanges(
  factors: usize,
  source: usize,
  sourceIndices: usize,
  starts: usize,
  count: i32,
  n: i32,
  columns: i32,
  scale: f32,
  table: usize,
  shift: i32,
  rows: i32,
): void {
  setRanges(table, shift, rows, starts, count, n, columns);
  setArgument(7, factors);
  setArgument(8, source);
  setArgument(9, sourceIndices);
  setReal(10, scale);
  run(updateRangesJob, chunksOf(count, n, columns));
}

export function updateRangesChunk(chunk: i32): void {
  const count = size(4);
  const each = rangesPerChunk(size(5), size(6));
  const end = min(count, (chunk + 1) * each);
  let range = chunk * each;
  // The chunk before has those that start where its last one does.
  while (range > 0 && range < end && startOf(range) == startOf(range - 1)) range++;
  while (range < end) {
    let next = range + 1;
    while (next < count && startOf(next) == startOf(range)) next++;
    updateRange(range, next);
    range = next;
  }
}

/** Ranges `first` to `end` are the same rows. */
function updateRange(first: i32, end: i32): void {
  const n = size(5);
  const columns = size(6);
  const bytes = (<usize>columns) << 2;
  const start = startOf(first);
  const present = min(n, size(2) - start);
  const scale = <f32>real(10);
  const stride = (<usize>n) << 2;
  for (let j = 0; j < present; j++) {
    const row = tableRow(start + j, bytes);
    let factor = argument(7) + <usize>first * stride + ((<usize>j) << 2);
    let range = first;
    for (; range + 4 <= end; range += 4, factor += 4 * stride) {
      addFourRows(
        sourceRow(range, bytes),
        sourceRow(range + 1, bytes),
        sourceRow(range + 2, bytes),
        sourceRow(range + 3, bytes),
        scale * load<f32>(factor),
        scale * load<f32>(factor + stride),
        scale * load<f32>(factor + 2 * stride),
        scale * load<f32>(factor + 3 * stride),
        row,
        columns,
      );
    }
    for (; range < end; range++, factor += stride)
      axpyRange(scale * load<f32>(factor), sourceRow(range, bytes), row, columns);
  }
}

function setRanges(table: usize, shift: i32, rows: i32, starts: usize, count: i32, n: i32, columns: i32): void {
  setArgument(0, table);
  setArgument(1, shift);
  setArgument(2, rows);
  setArgument(3, starts);
  setArgument(4, count);
  setArgument(5, n);
  setArgument(6, columns);
}

function rangesPerChunk(n: i32, columns: i32): i32 {
  return max(1, rowsPerChunk(columns) / max(1, n));
}

function chunksOf(count: i32, n: i32, columns: i32): i32 {
  const each = rangesPerChunk(n, columns);
  return (count + each - 1) / each;
}

function startOf(range: i32): i32 {
  return load<i32>(argument(3) + ((<usize>range) << 2));
}

function tableRow(row: i32, bytes: usize): usize {
  return rowAt(argument(0), size(1), row, bytes);
}

/** Of an update. */
function sourceRow(range: i32, bytes: usize): usize {
  return argument(8) + <usize>load<u32>(argument(9) + ((<usize>range) << 2)) * bytes;
}
