/** out = eˣ for `length` numbers, a multiple of eight. */
import { exp4 } from '@vastmax/cpu-backend-wasm/assembly/functions';

/** The library's, number by number in f64. */
export function expNaive(x: usize, out: usize, length: i32): void {
  for (let i = 0; i < length; i++, x += 4, out += 4) store<f32>(out, <f32>Math.exp(<f64>load<f32>(x)));
}

/** The library's in f32, by a table. */
export function expTable(x: usize, out: usize, length: i32): void {
  for (let i = 0; i < length; i++, x += 4, out += 4) store<f32>(out, Mathf.exp(load<f32>(x)));
}

export function expShipped(x: usize, out: usize, length: i32): void {
  for (const end = out + ((<usize>length) << 2); out < end; out += 16, x += 16) v128.store(out, exp4(v128.load(x)));
}

/** The same, two vectors in one turn. */
export function expTwoVectors(x: usize, out: usize, length: i32): void {
  for (const end = out + ((<usize>length) << 2); out < end; out += 32, x += 32) {
    const first = exp4(v128.load(x));
    const second = exp4(v128.load(x, 16));
    v128.store(out, first);
    v128.store(out, second, 16);
  }
}

/** The polynomial by Horner's scheme: fewer multiplications in a longer chain. */
export function expHorner(x: usize, out: usize, length: i32): void {
  for (const end = out + ((<usize>length) << 2); out < end; out += 16, x += 16) v128.store(out, horner4(v128.load(x)));
}

function horner4(x: v128): v128 {
  const limited = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-104));
  const shifted = f32x4.add(f32x4.mul(limited, f32x4.splat(1.4426950408889634)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  let r = f32x4.sub(limited, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444005469057e-4)));
  let tail = f32x4.add(f32x4.splat(1.0 / 720.0), f32x4.mul(r, f32x4.splat(1.0 / 5040.0)));
  tail = f32x4.add(f32x4.splat(1.0 / 120.0), f32x4.mul(r, tail));
  tail = f32x4.add(f32x4.splat(1.0 / 24.0), f32x4.mul(r, tail));
  tail = f32x4.add(f32x4.splat(1.0 / 6.0), f32x4.mul(r, tail));
  tail = f32x4.add(f32x4.splat(0.5), f32x4.mul(r, tail));
  const series = f32x4.add(f32x4.splat(1), f32x4.add(r, f32x4.mul(f32x4.mul(r, r), tail)));
  const exponent = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(exponent, 1);
  const rest = i32x4.sub(exponent, half);
  const one = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23);
  return f32x4.mul(f32x4.mul(series, one), i32x4.shl(i32x4.add(rest, i32x4.splat(127)), 23));
}
