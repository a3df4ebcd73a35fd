/**
 * Φ(x), the standard normal distribution function, for gelu(x) = x·Φ(x) and its derivative. Φ(−|x|) = e^(−x²/2)·t·Q(t)
 * with t = 1/(1 + 0.35|x|) and Q of degree 8, fitted by minimax (Lawson's weights) to 6·10⁻⁸ relative error on |x| ≤
 * 14.5, where e^(−x²/2) is the smallest number of f32. So the tail keeps its leading digits, which (1 + erf)/2 would
 * lose.
 */
import { exp4 } from './functions';

const inverseSqrtTwoPi: f32 = 0.3989422804014327;

/** e^(−x²/2); NaN stays. */
function bell(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(x, x)));
}

/** Φ(x) from e^(−x²/2). */
function distribution(x: v128, density: v128): v128 {
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.splat(0.35), f32x4.abs(x))));
  let q = f32x4.add(f32x4.splat(0.14403132), f32x4.mul(t, f32x4.splat(-0.029157966)));
  q = f32x4.add(f32x4.splat(-0.2558398), f32x4.mul(t, q));
  q = f32x4.add(f32x4.splat(0.15932058), f32x4.mul(t, q));
  q = f32x4.add(f32x4.splat(-0.023212943), f32x4.mul(t, q));
  q = f32x4.add(f32x4.splat(0.10555274), f32x4.mul(t, q));
  q = f32x4.add(f32x4.splat(0.11982123), f32x4.mul(t, q));
  q = f32x4.add(f32x4.splat(0.13986352), f32x4.mul(t, q));
  q = f32x4.add(f32x4.splat(0.1396213), f32x4.mul(t, q));
  const tail = f32x4.mul(density, f32x4.mul(t, q));
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}

/** x·Φ(x), within 4 ulps of x. */
export function gelu4(x: v128): v128 {
  return f32x4.mul(x, distribution(x, bell(x)));
}

/** Φ(x) + x·φ(x), within 4 ulps of 1. */
export function geluDerivative4(x: v128): v128 {
  const density = bell(x);
  return f32x4.add(distribution(x, density), f32x4.mul(f32x4.mul(x, density), f32x4.splat(inverseSqrtTwoPi)));
}
