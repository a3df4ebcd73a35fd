/**
 * out = f(x), a loop for each function: choosing inside one loop would cost the cheap ones more than their arithmetic.
 * The numbers are those of src/kernels.ts.
 */
import { exp4, log4, sigmoid4, softplus4, tanh4 } from './functions';
import { gelu4, geluDerivative4 } from './normal-distribution';
import { storePart } from './partial-vector';

export function unaryRange(operation: i32, x: usize, out: usize, length: i32): void {
  const end = out + ((<usize>(length & ~3)) << 2);
  const rest = length & 3;
  switch (operation) {
    case 0:
      for (; out < end; out += 16, x += 16) v128.store(out, f32x4.abs(v128.load(x)));
      if (rest) storePart(out, f32x4.abs(v128.load(x)), rest);
      break;
    case 1:
      for (; out < end; out += 16, x += 16) v128.store(out, exp4(v128.load(x)));
      if (rest) storePart(out, exp4(v128.load(x)), rest);
      break;
    case 2:
      for (; out < end; out += 16, x += 16) v128.store(out, gelu4(v128.load(x)));
      if (rest) storePart(out, gelu4(v128.load(x)), rest);
      break;
    case 3:
      for (; out < end; out += 16, x += 16) v128.store(out, geluDerivative4(v128.load(x)));
      if (rest) storePart(out, geluDerivative4(v128.load(x)), rest);
      break;
    case 4:
      for (; out < end; out += 16, x += 16) v128.store(out, log4(v128.load(x)));
      if (rest) storePart(out, log4(v128.load(x)), rest);
      break;
    case 5:
      for (; out < end; out += 16, x += 16) v128.store(out, f32x4.div(f32x4.splat(1), v128.load(x)));
      if (rest) storePart(out, f32x4.div(f32x4.splat(1), v128.load(x)), rest);
      break;
    case 6:
      for (; out < end; out += 16, x += 16) v128.store(out, f32x4.max(v128.load(x), f32x4.splat(0)));
      if (rest) storePart(out, f32x4.max(v128.load(x), f32x4.splat(0)), rest);
      break;
    case 7:
      for (; out < end; out += 16, x += 16) v128.store(out, sigmoid4(v128.load(x)));
      if (rest) storePart(out, sigmoid4(v128.load(x)), rest);
      break;
    case 8:
      for (; out < end; out += 16, x += 16) v128.store(out, softplus4(v128.load(x)));
      if (rest) storePart(out, softplus4(v128.load(x)), rest);
      break;
    case 9:
      for (; out < end; out += 16, x += 16) v128.store(out, f32x4.sqrt(v128.load(x)));
      if (rest) storePart(out, f32x4.sqrt(v128.load(x)), rest);
      break;
    case 10:
      for (; out < end; out += 16, x += 16) v128.store(out, square4(v128.load(x)));
      if (rest) storePart(out, square4(v128.load(x)), rest);
      break;
    case 11:
      for (; out < end; out += 16, x += 16) v128.store(out, step4(v128.load(x)));
      if (rest) storePart(out, step4(v128.load(x)), rest);
      break;
    default:
      for (; out < end; out += 16, x += 16) v128.store(out, tanh4(v128.load(x)));
      if (rest) storePart(out, tanh4(v128.load(x)), rest);
  }
}

function square4(x: v128): v128 {
  return f32x4.mul(x, x);
}

/** 1 where x > 0, else 0; NaN stays. */
function step4(x: v128): v128 {
  return v128.bitselect(v128.and(f32x4.splat(1), f32x4.gt(x, f32x4.splat(0))), x, f32x4.eq(x, x));
}
