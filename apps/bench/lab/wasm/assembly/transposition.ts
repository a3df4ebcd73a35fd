/**
 * Packing rows of a rows×depth matrix for tiles: panel[(group·depth + p)·4 + lane], rows and depth multiples of four.
 */
import { packDepth } from '@vastmax/cpu-backend-wasm/assembly/gemm-pack';

export function transposeNaive(x: usize, panel: usize, rows: i32, depth: i32): void {
  for (let row = 0; row < rows; row++) {
    const target = panel + ((<usize>((row & ~3) * depth + (row & 3))) << 2);
    for (let p = 0; p < depth; p++, x += 4) store<f32>(target + ((<usize>p) << 4), load<f32>(x));
  }
}

/** Four numbers of four rows gathered into a vector, one store. */
export function transposeLanes(x: usize, panel: usize, rows: i32, depth: i32): void {
  const stride = (<usize>depth) << 2;
  for (let row = 0; row < rows; row += 4, x += stride * 3) {
    for (const end = x + stride; x < end; x += 4, panel += 16) {
      let value = v128.load_zero<f32>(x);
      value = v128.load_lane<f32>(x + stride, value, 1);
      value = v128.load_lane<f32>(x + 2 * stride, value, 2);
      v128.store(panel, v128.load_lane<f32>(x + 3 * stride, value, 3));
    }
  }
}

export function transposeShipped(x: usize, panel: usize, rows: i32, depth: i32): void {
  packDepth(x, (<usize>depth) << 2, rows, depth, panel, 4);
}
