// The directory of a ZIP file (APPNOTE.TXT 6.3.10), as numpy.savez writes one, ZIP64 included: names, and where the bytes
// of each member lie. Nothing of the directory is believed before it has been compared with the size of the file.

import { shown } from '@vastmax/checkpoints';
import { badFeatures, type PlacedBytes } from './stored-arrays.ts';

export interface ZipMember {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** CRC-32 of the decompressed bytes. */
  readonly crc: number;
  /** Bytes in the file, and when decompressed. */
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Where its local header begins. */
  readonly headerStart: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const memberSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endBytes = 22;
const maximumCommentBytes = 65_535;
/** Of a directory; a member needs 46 bytes and its name. */
const maximumDirectoryBytes = 64 * 2 ** 20;
const in64 = 0xffffffff;

function viewOf(file: PlacedBytes, position: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  file.read(bytes, position);
  return new DataView(bytes.buffer);
}

/** @throws SparseDataError `bad-features`. */
export function readZipDirectory(file: PlacedBytes): readonly ZipMember[] {
  const { path } = file;
  const { start, bytes, members: count } = findDirectory(file);
  if (bytes > maximumDirectoryBytes || start + bytes > file.bytes)
    throw badFeatures(
      path,
      `its directory is said to have ${bytes} bytes from byte ${start} on; at most ${maximumDirectoryBytes} are read, and the file has ${file.bytes}`,
    );
  const view = viewOf(file, start, bytes);
  const members: ZipMember[] = [];
  for (let at = 0; members.length < count;) {
    if (at + 46 > bytes || view.getUint32(at, true) !== memberSignature)
      throw badFeatures(
        path,
        `member ${members.length + 1} of ${count} is not at byte ${start + at}; the directory is damaged`,
      );
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const end = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (end > bytes)
      throw badFeatures(
        path,
        `member ${members.length + 1} of ${count} ends at byte ${start + end}, its directory at ${start + bytes}`,
      );
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameBytes));
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw badFeatures(path, `${shown(name)} is encrypted`);
    const extra = new DataView(view.buffer, at + 46 + nameBytes, extraBytes);
    const [size, compressedBytes, headerStart] = sizesOf(view, at, extra, path, name);
    members.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressedBytes,
      bytes: size,
      headerStart,
    });
    at = end;
  }
  return members;
}

/** Where a member's bytes begin: after its local header, whose length only that says. @throws as readZipDirectory. */
export function dataStartOf(file: PlacedBytes, { name, headerStart, compressedBytes }: ZipMember): number {
  const { path, bytes } = file;
  if (headerStart + 30 > bytes)
    throw badFeatures(path, `${shown(name)} is said to begin at byte ${headerStart}; the file has ${bytes}`);
  const local = viewOf(file, headerStart, 30);
  if (local.getUint32(0, true) !== localSignature)
    throw badFeatures(path, `${shown(name)} does not begin at byte ${headerStart}; the file is damaged`);
  const start = headerStart + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + compressedBytes > bytes)
    throw badFeatures(path, `${shown(name)} has ${compressedBytes} bytes from byte ${start} on; the file has ${bytes}`);
  return start;
}

let crcTable: Int32Array | undefined;

/** CRC-32 of ZIP: the polynomial 0xedb88320, lowest bit first (APPNOTE.TXT 4.4.7). O(bytes). */
export function crc32(bytes: Uint8Array): number {
  const table = (crcTable ??= Int32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  }));
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function findDirectory(file: PlacedBytes): {
  readonly start: number;
  readonly bytes: number;
  readonly members: number;
} {
  const length = Math.min(file.bytes, endBytes + maximumCommentBytes);
  const tail = viewOf(file, file.bytes - length, length);
  let at = length - endBytes;
  while (at >= 0 && tail.getUint32(at, true) !== endSignature) at--;
  if (at < 0)
    throw badFeatures(file.path, `no directory of a ZIP file is at its end (${file.bytes} bytes); is it complete?`);
  const plain = {
    start: tail.getUint32(at + 16, true),
    bytes: tail.getUint32(at + 12, true),
    members: tail.getUint16(at + 10, true),
  };
  if (plain.start !== in64 && plain.bytes !== in64 && plain.members !== 0xffff) return plain;
  if (at < 20 || tail.getUint32(at - 20, true) !== locator64Signature) return plain;
  const position = Number(tail.getBigUint64(at - 12, true));
  if (position + 56 > file.bytes)
    throw badFeatures(
      file.path,
      `its ZIP64 directory is said to begin at byte ${position}; the file has ${file.bytes}`,
    );
  const view = viewOf(file, position, 56);
  if (view.getUint32(0, true) !== end64Signature)
    throw badFeatures(file.path, `its ZIP64 directory does not begin at byte ${position}; the file is damaged`);
  return {
    start: Number(view.getBigUint64(48, true)),
    bytes: Number(view.getBigUint64(40, true)),
    members: Number(view.getBigUint64(32, true)),
  };
}

/** Sizes of 64 bits stand in an extra field, in this order, where those of 32 bits are all ones. */
function sizesOf(view: DataView, at: number, extra: DataView, path: string, name: string): [number, number, number] {
  const sizes: [number, number, number] = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ];
  for (let field = 0; field + 4 <= extra.byteLength;) {
    const end = field + 4 + extra.getUint16(field + 2, true);
    if (extra.getUint16(field, true) === 1) {
      let place = field + 4;
      for (const [i, size] of sizes.entries()) {
        if (size !== in64) continue;
        if (place + 8 > Math.min(end, extra.byteLength))
          throw badFeatures(path, `${shown(name)} lacks a size of 64 bits; the directory is damaged`);
        sizes[i] = Number(extra.getBigUint64(place, true));
        place += 8;
      }
    }
    field = end;
  }
  return sizes;
}
