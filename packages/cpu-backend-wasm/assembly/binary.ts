/**
 * out = a ∘ b, the second operand broadcast. Numbers: add 0, subtract 1, multiply 2, divide 3 (src/kernels.ts). A row
 * of b that is one number is a vector of four equal ones that is not moved along, so that one loop for each operation
 * does for all shapes.
 */
import { storePart } from './partial-vector';

/** rowStride and columnStride of b in numbers, 0 where it is broadcast. `splat` is 16 bytes of scratch. */
export function binaryRange(
  operation: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  columns: i32,
  rowStride: i32,
  columnStride: i32,
  splat: usize,
): void {
  const step: usize = columnStride == 0 ? 0 : 16;
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++, a += bytes, out += bytes, b += (<usize>rowStride) << 2) {
    let from = b;
    if (columnStride == 0) {
      v128.store(splat, v128.load_splat<f32>(b));
      from = splat;
    }
    applyRow(operation, a, from, step, out, columns);
  }
}

function applyRow(operation: i32, a: usize, b: usize, step: usize, out: usize, columns: i32): void {
  const end = out + ((<usize>(columns & ~3)) << 2);
  const rest = columns & 3;
  switch (operation) {
    case 0:
      for (; out < end; out += 16, a += 16, b += step) v128.store(out, f32x4.add(v128.load(a), v128.load(b)));
      if (rest) storePart(out, f32x4.add(v128.load(a), v128.load(b)), rest);
      break;
    case 1:
      for (; out < end; out += 16, a += 16, b += step) v128.store(out, f32x4.sub(v128.load(a), v128.load(b)));
      if (rest) storePart(out, f32x4.sub(v128.load(a), v128.load(b)), rest);
      break;
    case 2:
      for (; out < end; out += 16, a += 16, b += step) v128.store(out, f32x4.mul(v128.load(a), v128.load(b)));
      if (rest) storePart(out, f32x4.mul(v128.load(a), v128.load(b)), rest);
      break;
    default:
      for (; out < end; out += 16, a += 16, b += step) v128.store(out, f32x4.div(v128.load(a), v128.load(b)));
      if (rest) storePart(out, f32x4.div(v128.load(a), v128.load(b)), rest);
  }
}
