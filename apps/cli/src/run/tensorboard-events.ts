/**
 * Event files of TensorBoard: TFRecords (tensorflow/core/lib/io/record_writer.h: length, masked CRC-32C of the length,
 * data, masked CRC-32C of the data, all little-endian) of Event messages (tensorflow/core/util/event.proto). Only the
 * four fields that a scalar needs are encoded, which takes less code than using a protocol buffer library.
 */

/** The first record of a file. @param seconds since 1970. */
export function encodeFileVersion(seconds: number): Uint8Array {
  return record([...doubleField(1, seconds), ...bytesField(3, utf8('brain.Event:2'))]);
}

/** A value for each tag. @param seconds since 1970. */
export function encodeScalars(seconds: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    bytesField(1, [...bytesField(1, utf8(tag)), ...floatField(2, value)]),
  );
  return record([...doubleField(1, seconds), ...varintField(2, step), ...bytesField(5, values)]);
}

function record(data: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(bytes.subarray(12, 12 + data.length)), true);
  return bytes;
}

/** Rotated and offset, as TFRecords require: the CRC of data that contains its own CRC is weak. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const utf8 = (text: string): readonly number[] => [...new TextEncoder().encode(text)];

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

const varintField = (field: number, value: number): number[] => [field * 8, ...varint(value)];
const bytesField = (field: number, bytes: readonly number[]): number[] => [
  field * 8 + 2,
  ...varint(bytes.length),
  ...bytes,
];
const doubleField = (field: number, value: number): number[] => [
  field * 8 + 1,
  ...new Uint8Array(
    littleEndian(8, (view) => {
      view.setFloat64(0, value, true);
    }),
  ),
];
const floatField = (field: number, value: number): number[] => [
  field * 8 + 5,
  ...new Uint8Array(
    littleEndian(4, (view) => {
      view.setFloat32(0, value, true);
    }),
  ),
];

function littleEndian(bytes: number, set: (view: DataView) => void): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(bytes));
  set(view);
  return view.buffer;
}

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), bitwise reversed polynomial 0x82F63B78, by a table of bytes. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
  return remainder;
});

export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ (table[(remainder ^ byte) & 0xff] ?? 0);
  return ~remainder >>> 0;
}
