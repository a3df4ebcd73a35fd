// Numbers as files store them (NumPy, safetensors), decoded into arrays of 32 or 64 bits. Half precision (IEEE 754
// binary16) and bfloat16, the upper half of a float32, are widened exactly; integers of 64 bits are rounded to the
// nearest number that the array can hold.

/** How a number is stored; `bool` is a byte that is 0 or 1. */
export type NumberType =
  'f16' | 'bf16' | 'f32' | 'f64' | 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'bool';

/** Bytes of each. */
export const bytesOfNumber: Readonly<Record<NumberType, number>> = {
  f16: 2,
  bf16: 2,
  f32: 4,
  f64: 8,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  bool: 1,
};

/** Whether float32 holds every number of the type. */
export function fitsFloat32(type: NumberType): boolean {
  return bytesOfNumber[type] <= 2 || type === 'f32';
}

const isLittleEndianMachine = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type ReadNumber = (view: DataView, at: number, littleEndian: boolean) => number;

const readers: Readonly<Record<NumberType, ReadNumber>> = {
  f16: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  bf16: (view, at, little) => bfloatToNumber(view.getUint16(at, little)),
  f32: (view, at, little) => view.getFloat32(at, little),
  f64: (view, at, little) => view.getFloat64(at, little),
  i8: (view, at) => view.getInt8(at),
  u8: (view, at) => view.getUint8(at),
  i16: (view, at, little) => view.getInt16(at, little),
  u16: (view, at, little) => view.getUint16(at, little),
  i32: (view, at, little) => view.getInt32(at, little),
  u32: (view, at, little) => view.getUint32(at, little),
  i64: (view, at, little) => Number(view.getBigInt64(at, little)),
  u64: (view, at, little) => Number(view.getBigUint64(at, little)),
  bool: (view, at) => view.getUint8(at),
};

/** How numbers are stored in a file. */
export interface StoredNumbers {
  readonly type: NumberType;
  /** False unless given. */
  readonly bigEndian?: boolean;
}

/** Decodes `count` numbers from the beginning of `bytes` into `out`, from place `at` on. O(count). */
export function decodeNumbers(
  { type, bigEndian = false }: StoredNumbers,
  bytes: Uint8Array,
  count: number,
  out: Float32Array | Float64Array,
  at: number,
): void {
  const { buffer, byteOffset } = bytes;
  if (!bigEndian && isLittleEndianMachine && byteOffset % bytesOfNumber[type] === 0) {
    if (type === 'f32') {
      out.set(new Float32Array(buffer, byteOffset, count), at);
      return;
    }
    if (type === 'f64') {
      out.set(new Float64Array(buffer, byteOffset, count), at);
      return;
    }
    if (type === 'f16') {
      widenHalves(new Uint16Array(buffer, byteOffset, count), out, at);
      return;
    }
  }
  const view = new DataView(buffer, byteOffset, count * bytesOfNumber[type]);
  const read = readers[type];
  const size = bytesOfNumber[type];
  for (let i = 0; i < count; i++) out[at + i] = read(view, i * size, !bigEndian);
}

let halves: Float32Array | undefined;

/** Half precision to numbers, by a table of all 65536. */
export function widenHalves(bits: Uint16Array, out: Float32Array | Float64Array, at: number): void {
  const table = (halves ??= Float32Array.from({ length: 65_536 }, (_, each) => halfToNumber(each)));
  for (let i = 0; i < bits.length; i++) out[at + i] = table[bits[i]!]!;
}

function halfToNumber(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Infinity
          : Number.NaN
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

function bfloatToNumber(bits: number): number {
  word[0] = bits << 16;
  return single[0]!;
}
