/**
 * Elementary functions of four numbers at a time. No table and no fitted constants where a series will do: the Taylor
 * series of eˣ and the series of artanh converge fast enough on the reduced range (Cody & Waite, Software Manual for
 * the Elementary Functions, 1980). The error bounds stated are checked against f64 in test/unary.test.ts.
 */

/**
 * eˣ within 2 ulps: x = n·ln 2 + r with ln 2 in two parts, |r| ≤ 0.347, degree 7; 2ⁿ in two factors for n beyond the
 * exponents.
 */
export function exp4(x: v128): v128 {
  // The pseudo-minimum is one instruction, and keeps a NaN in its first operand.
  const limited = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-104));
  // Adding 1.5·2²³ rounds to a whole number and leaves it in the low bits.
  const shifted = f32x4.add(f32x4.mul(limited, f32x4.splat(1.4426950408889634)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  let r = f32x4.sub(limited, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444005469057e-4)));
  // In pairs (Estrin's scheme): a shorter chain than Horner's.
  const square = f32x4.mul(r, r);
  const low = f32x4.add(f32x4.splat(0.5), f32x4.mul(r, f32x4.splat(1.0 / 6.0)));
  const middle = f32x4.add(f32x4.splat(1.0 / 24.0), f32x4.mul(r, f32x4.splat(1.0 / 120.0)));
  const high = f32x4.add(f32x4.splat(1.0 / 720.0), f32x4.mul(r, f32x4.splat(1.0 / 5040.0)));
  const tail = f32x4.add(low, f32x4.mul(square, f32x4.add(middle, f32x4.mul(square, high))));
  const series = f32x4.add(f32x4.splat(1), f32x4.add(r, f32x4.mul(square, tail)));
  const exponent = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(exponent, 1);
  return f32x4.mul(f32x4.mul(series, powerOfTwo(half)), powerOfTwo(i32x4.sub(exponent, half)));
}

/** 2ⁿ for -126 ≤ n ≤ 127, by its bits. */
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** log x within 3 ulps: x = 2ᵉ·m with m in [√½, √2) and log m = 2·artanh((m−1)/(m+1)). -Infinity at 0, NaN below. */
export function log4(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.1754943508222875e-38));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  const fromHalf = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(fromHalf, 23);
  const m = i32x4.sub(normal, i32x4.shl(exponent, 23));
  const e = f32x4.sub(f32x4.convert_i32x4_s(exponent), v128.and(tiny, f32x4.splat(23)));
  const s = f32x4.div(f32x4.sub(m, f32x4.splat(1)), f32x4.add(m, f32x4.splat(1)));
  const square = f32x4.mul(s, s);
  let tail = f32x4.add(f32x4.splat(1.0 / 7.0), f32x4.mul(square, f32x4.splat(1.0 / 9.0)));
  tail = f32x4.add(f32x4.splat(1.0 / 5.0), f32x4.mul(square, tail));
  tail = f32x4.mul(square, f32x4.add(f32x4.splat(1.0 / 3.0), f32x4.mul(square, tail)));
  const twice = f32x4.add(s, s);
  const low = f32x4.add(f32x4.mul(e, f32x4.splat(-2.1219444005469057e-4)), f32x4.mul(twice, tail));
  const value = f32x4.add(f32x4.mul(e, f32x4.splat(0.693359375)), f32x4.add(twice, low));
  // Outside (0, ∞) the bits above mean nothing: ∞ and NaN stay, 0 gives -∞, a negative number NaN.
  const within = v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, f32x4.splat(Infinity)));
  const negative = v128.or(f32x4.lt(x, f32x4.splat(0)), f32x4.ne(x, x));
  const atZero = v128.bitselect(f32x4.splat(-Infinity), x, f32x4.eq(x, f32x4.splat(0)));
  return v128.bitselect(value, v128.bitselect(f32x4.splat(NaN), atZero, negative), within);
}

/** log(1 + u) for 0 ≤ u ≤ 1 within 3 ulps, also for the smallest u: 2·artanh(u/(2+u)), whose argument is at most ⅓. */
function logOnePlus4(u: v128): v128 {
  const s = f32x4.div(u, f32x4.add(f32x4.splat(2), u));
  const square = f32x4.mul(s, s);
  let tail = f32x4.add(f32x4.splat(1.0 / 13.0), f32x4.mul(square, f32x4.splat(1.0 / 15.0)));
  tail = f32x4.add(f32x4.splat(1.0 / 11.0), f32x4.mul(square, tail));
  tail = f32x4.add(f32x4.splat(1.0 / 9.0), f32x4.mul(square, tail));
  tail = f32x4.add(f32x4.splat(1.0 / 7.0), f32x4.mul(square, tail));
  tail = f32x4.add(f32x4.splat(1.0 / 5.0), f32x4.mul(square, tail));
  tail = f32x4.mul(square, f32x4.add(f32x4.splat(1.0 / 3.0), f32x4.mul(square, tail)));
  const twice = f32x4.add(s, s);
  return f32x4.add(twice, f32x4.mul(twice, tail));
}

/** log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), within 4 ulps. */
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.max(x, f32x4.splat(0)), logOnePlus4(exp4(f32x4.neg(f32x4.abs(x)))));
}

/** 1/(1 + e^−x) within 4 ulps; the exponent is kept negative, so neither side overflows. */
export function sigmoid4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const numerator = v128.bitselect(e, f32x4.splat(1), f32x4.lt(x, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(f32x4.splat(1), e));
}

/**
 * tanh x within 4 ulps: below 0.625 Lambert's continued fraction x/(1 + x²/(3 + x²/(5 + …))), cut after 11 and written
 * as a quotient of polynomials; beyond, 1 − 2/(e^2|x| + 1). Both are computed and one selected, so the division is
 * shared.
 */
export function tanh4(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let over = f32x4.add(f32x4.splat(1260), f32x4.mul(square, f32x4.splat(21)));
  over = f32x4.mul(magnitude, f32x4.add(f32x4.splat(10395), f32x4.mul(square, over)));
  let under = f32x4.add(f32x4.splat(210), square);
  under = f32x4.add(f32x4.splat(4725), f32x4.mul(square, under));
  under = f32x4.add(f32x4.splat(10395), f32x4.mul(square, under));
  const small = f32x4.lt(magnitude, f32x4.splat(0.625));
  const e = f32x4.add(exp4(f32x4.add(magnitude, magnitude)), f32x4.splat(1));
  const quotient = f32x4.div(v128.bitselect(over, f32x4.splat(2), small), v128.bitselect(under, e, small));
  const value = v128.bitselect(quotient, f32x4.sub(f32x4.splat(1), quotient), small);
  return v128.or(value, v128.and(x, f32x4.splat(-0.0)));
}
