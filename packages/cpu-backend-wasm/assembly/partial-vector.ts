/** Store the first `count` (0 to 3) floats of a vector: the end of a row whose length is no multiple of four. */
export function storePart(target: usize, value: v128, count: i32): void {
  if (count & 2) {
    v128.store_lane<u64>(target, value, 0);
    if (count & 1) v128.store_lane<f32>(target, value, 2, 8);
  } else if (count & 1) {
    v128.store_lane<f32>(target, value, 0);
  }
}
