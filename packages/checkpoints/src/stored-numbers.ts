// How numbers are stored: the dtypes of safetensors, little-endian, as typed arrays have them on every machine that
// this project's backends run on (x64, arm64, WebAssembly). A big-endian one (s390x) is refused rather than given wrong
// numbers.
//
// Numbers of 16 bits (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits) are rounded to the nearest with ties to
// even, straight from 64 bits: by way of 32 bits a number could be rounded twice. Node 20 has no Float16Array.

import type { TensorPrecision, TensorValues } from '@vastmax/linalg-core/state';
import { CheckpointError } from './errors.ts';

/** True on all machines in use: the lowest byte of a number comes first. */
export const IS_LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The error on a machine whose numbers are stored in the order that safetensors does not have. */
export function bigEndianError(): CheckpointError {
  return new CheckpointError(
    'bad-argument',
    'safetensors: this machine is big-endian; only little-endian ones are supported',
  );
}

/** Bytes that precede the header of a safetensors file. */
export const PREFIX_BYTES = 8;

/** The dtypes that matrices are written and read with. */
export type StoredType = 'F32' | 'F64' | 'I32' | 'F16' | 'U8';

/** What they are read as: half precision is widened, exactly. */
export const storedTypes: Readonly<
  Record<StoredType, { readonly bytes: number; readonly precision: TensorPrecision }>
> = {
  F32: { bytes: 4, precision: 'f32' },
  F64: { bytes: 8, precision: 'f64' },
  I32: { bytes: 4, precision: 'i32' },
  F16: { bytes: 2, precision: 'f32' },
  U8: { bytes: 1, precision: 'u8' },
};

export const valueArrays: Readonly<Record<TensorPrecision, new (length: number) => TensorValues>> = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u8: Uint8Array,
};

/** Bits of the magnitude of infinity; NaN has more. */
export const HALF_INFINITY = 0x7c00;

/** Powers of two by exponent + 15. */
const scales = Float64Array.from({ length: 32 }, (_, at) => 2 ** (at - 15));
const bits64 = new Uint32Array(2);
const value64 = new Float64Array(bits64.buffer);

/** From 65520 on infinity. */
export function narrowToHalf(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = halfBits(values[i]!);
  return halves;
}

/** Exact. */
export function widenHalf(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i]!;
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Infinity
            : Number.NaN
          : (1 + fraction / 1024) * scales[exponent]!;
    values[i] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return values;
}

function halfBits(value: number): number {
  value64[0] = value;
  const high = bits64[1]!;
  const sign = (high >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (!(magnitude < 65520)) return sign | (magnitude >= 65520 ? HALF_INFINITY : 0x7e00);
  // Below 2^-14 numbers lie 2^-24 apart; above, 1024 of them lie between two powers of two. A carry moves into the
  // exponent by itself.
  if (magnitude < 2 ** -14) return sign | roundToEven(magnitude * 2 ** 24);
  const exponent = ((high >>> 20) & 0x7ff) - 1023;
  return sign | (((exponent + 14) << 10) + roundToEven((magnitude * 1024) / scales[exponent + 15]!));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
