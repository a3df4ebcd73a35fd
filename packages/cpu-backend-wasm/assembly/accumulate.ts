/**
 * sum + beta·old, in f64 and rounded once where beta is not 1. A matrix that is updated in place with a beta near 1 at
 * every step would otherwise drift by beta's own rounding. (Multiplying by the part of beta that f32 cannot hold is no
 * help: its product is less than half a unit of the sum, and gets lost in it.)
 */
export function addScaled(sum: v128, beta: f64, old: v128): v128 {
  if (beta == 1) return f32x4.add(sum, old);
  const factor = f64x2.splat(beta);
  const low = f64x2.add(f64x2.promote_low_f32x4(sum), f64x2.mul(factor, f64x2.promote_low_f32x4(old)));
  const high = f64x2.add(widenHigh(sum), f64x2.mul(factor, widenHigh(old)));
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** The upper two numbers in f64. */
export function widenHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}
