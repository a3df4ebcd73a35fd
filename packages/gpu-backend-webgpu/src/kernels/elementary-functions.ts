/**
 * Functions of four numbers in WGSL. The built-in ones may have errors of thousands of ulps for large arguments and
 * differ between GPUs, so the functions that training depends on are computed here from arithmetic only: Cody & Waite's
 * reduction with the Taylor series of eˣ, the series of artanh for logarithms (Software Manual for the Elementary
 * Functions, 1980), and for Φ the fit of @vastmax/cpu-backend-wasm: Φ(−|x|) = e^(−x²/2)·t·Q(t), t = 1/(1 + 0.35|x|),
 * within 6·10⁻⁸ of relative error. Memory bandwidth limits these kernels, not arithmetic. Rounding uses `round` instead
 * of adding 1.5·2²³, which a compiler may optimise away.
 */
import { specialNumbers } from './special-numbers.ts';

export const elementaryFunctions: string = /* wgsl */ `${specialNumbers}
fn powerOfTwo(n: vec4i) -> vec4f { return bitcast<vec4f>((n + vec4i(127)) << vec4u(23u)); }

// e^x for x in range; the result for NaN is undefined.
fn expInRange(x: vec4f) -> vec4f {
  let n = round(x * 1.4426950408889634);
  var r = x - n * 0.693359375;
  r = r - n * -2.1219444005469057e-4;
  let square = r * r;
  let low = 0.5 + r * (1.0 / 6.0);
  let middle = (1.0 / 24.0) + r * (1.0 / 120.0);
  let high = (1.0 / 720.0) + r * (1.0 / 5040.0);
  let series = 1.0 + (r + square * (low + square * (middle + square * high)));
  let exponent = vec4i(n);
  let half = exponent >> vec4u(1u);
  return (series * powerOfTwo(half)) * powerOfTwo(exponent - half);
}

fn exp4(x: vec4f) -> vec4f {
  let value = expInRange(clamp(x, vec4f(-104.0), vec4f(88.72284)));
  return select(select(value, vec4f(infinity()), x > vec4f(88.72284)), x, isNaN4(x));
}

fn log4(x: vec4f) -> vec4f {
  let tiny = x < vec4f(1.1754943508222875e-38);
  let normal = bitcast<vec4i>(select(x, x * 8388608.0, tiny));
  let exponent = (normal - vec4i(0x3f3504f3)) >> vec4u(23u);
  let m = bitcast<vec4f>(normal - (exponent << vec4u(23u)));
  let e = vec4f(exponent) - select(vec4f(0.0), vec4f(23.0), tiny);
  let s = (m - 1.0) / (m + 1.0);
  let square = s * s;
  let tail = square * ((1.0 / 3.0) + square * ((1.0 / 5.0) + square * ((1.0 / 7.0) + square * (1.0 / 9.0))));
  let twice = s + s;
  let value = e * 0.693359375 + (twice + (e * -2.1219444005469057e-4 + twice * tail));
  let bits = bitcast<vec4u>(x);
  let magnitude = bits & vec4u(0x7fffffffu);
  let negative = select(value, vec4f(notANumber()), bits > vec4u(0x80000000u));
  let zero = select(negative, vec4f(-infinity()), magnitude == vec4u(0u));
  return select(zero, x, (bits == vec4u(0x7f800000u)) | isNaN4(x));
}

// log(1 + u) for 0 <= u <= 1, also of the smallest u: 2 artanh(u/(2 + u)).
fn logOnePlus4(u: vec4f) -> vec4f {
  let s = u / (2.0 + u);
  let square = s * s;
  var tail = (1.0 / 11.0) + square * ((1.0 / 13.0) + square * (1.0 / 15.0));
  tail = (1.0 / 5.0) + square * ((1.0 / 7.0) + square * ((1.0 / 9.0) + square * tail));
  tail = square * ((1.0 / 3.0) + square * tail);
  let twice = s + s;
  return twice + twice * tail;
}

// e^-|x|
fn decay4(x: vec4f) -> vec4f { return expInRange(max(-abs(x), vec4f(-104.0))); }

fn softplus4(x: vec4f) -> vec4f {
  return select(max(x, vec4f(0.0)) + logOnePlus4(decay4(x)), x, isNaN4(x));
}

fn sigmoid4(x: vec4f) -> vec4f {
  let e = decay4(x);
  return select(select(vec4f(1.0), e, x < vec4f(0.0)) / (1.0 + e), x, isNaN4(x));
}

// Below 0.625 Lambert's continued fraction as a quotient of polynomials; beyond, 1 - 2/(e^2|x| + 1).
fn tanh4(x: vec4f) -> vec4f {
  let magnitude = min(abs(x), vec4f(20.0));
  let square = magnitude * magnitude;
  let over = magnitude * (10395.0 + square * (1260.0 + square * 21.0));
  let under = 10395.0 + square * (4725.0 + square * (210.0 + square));
  let small = magnitude < vec4f(0.625);
  let e = expInRange(magnitude + magnitude) + 1.0;
  let quotient = select(vec4f(2.0), over, small) / select(e, under, small);
  let value = select(1.0 - quotient, quotient, small);
  return select(select(value, -value, x < vec4f(0.0)), x, isNaN4(x));
}

// e^(-x^2/2), 0 from 14.5 on.
fn bell4(x: vec4f) -> vec4f {
  let magnitude = min(abs(x), vec4f(14.5));
  return select(expInRange(-0.5 * (magnitude * magnitude)), vec4f(0.0), abs(x) > vec4f(14.5));
}

fn distribution4(x: vec4f, density: vec4f) -> vec4f {
  let t = 1.0 / (1.0 + 0.35 * min(abs(x), vec4f(1e4)));
  var q = 0.14403132 + t * -0.029157966;
  q = -0.2558398 + t * q;
  q = 0.15932058 + t * q;
  q = -0.023212943 + t * q;
  q = 0.10555274 + t * q;
  q = 0.11982123 + t * q;
  q = 0.13986352 + t * q;
  q = 0.1396213 + t * q;
  let tail = density * (t * q);
  return select(1.0 - tail, tail, x < vec4f(0.0));
}

fn gelu4(x: vec4f) -> vec4f { return select(x * distribution4(x, bell4(x)), x, isNaN4(x)); }

fn geluDerivative4(x: vec4f) -> vec4f {
  let density = bell4(x);
  let within = clamp(x, vec4f(-1e4), vec4f(1e4));
  return select(distribution4(x, density) + (within * density) * 0.3989422804014327, x, isNaN4(x));
}

fn relu4(x: vec4f) -> vec4f { return select(max(x, vec4f(0.0)), x, isNaN4(x)); }
fn step4(x: vec4f) -> vec4f { return select(select(vec4f(0.0), vec4f(1.0), x > vec4f(0.0)), x, isNaN4(x)); }

fn sqrt4(x: vec4f) -> vec4f {
  let negative = select(sqrt(max(x, vec4f(0.0))), vec4f(notANumber()), x < vec4f(0.0));
  return select(negative, x, (bitcast<vec4u>(x) == vec4u(0x7f800000u)) | isNaN4(x));
}
`;
