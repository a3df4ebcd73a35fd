/**
 * Rows of a matrix by index. Repeated indices of scatterAddRows accumulate in the order of the list; of scatterRows the
 * last stays.
 */
import { axpyRange, copyColumns } from './dense';

export function gatherRows(source: usize, indices: usize, count: i32, columns: i32, out: usize): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, out += bytes) {
    copyColumns(source + <usize>load<i32>(indices) * bytes, columns, out, columns, 1, columns);
  }
}

export function scatterAddRows(
  source: usize,
  indices: usize,
  count: i32,
  columns: i32,
  scale: f32,
  destination: usize,
): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, source += bytes) {
    axpyRange(scale, source, destination + <usize>load<i32>(indices) * bytes, columns);
  }
}

export function scatterRows(source: usize, indices: usize, count: i32, columns: i32, destination: usize): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < count; i++, indices += 4, source += bytes) {
    copyColumns(source, columns, destination + <usize>load<i32>(indices) * bytes, columns, 1, columns);
  }
}
