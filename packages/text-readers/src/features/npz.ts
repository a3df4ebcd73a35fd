// Arrays of numpy.savez: a ZIP file of .npy files. What numpy.savez stores is read at its place, so it may be larger than
// memory; what numpy.savez_compressed deflates is decompressed whole, and its checksum compared.

import { shown } from '@vastmax/checkpoints';
import { readNpyArray, readNpySource } from './npy.ts';
import { badFeatures, placedBytes, type PlacedBytes, type StoredArray } from './stored-arrays.ts';
import { crc32, dataStartOf, readZipDirectory, type ZipMember } from './zip-directory.ts';

/** Whether bytes begin as those of a ZIP file. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

/** Decompresses raw deflate; throws for more than `limit` bytes. */
export type InflateRaw = (bytes: Uint8Array, limit: number) => Uint8Array;

/** How an .npz file is read. */
export interface NpzOptions {
  /** For arrays of numpy.savez_compressed; without it they are refused. */
  readonly inflateRaw?: InflateRaw;
}

/** Deflate makes at most 1032 bytes of one. */
const largestRatio = 1032;

/**
 * The arrays of a .npz file. Reads its directory only.
 * @throws SparseDataError `bad-features` for a directory that is damaged.
 */
export function readNpzArrays(file: PlacedBytes, { inflateRaw }: NpzOptions = {}): readonly StoredArray[] {
  return readZipDirectory(file)
    .filter(({ name }) => name.endsWith('.npy'))
    .map((member) => ({
      name: member.name.slice(0, -'.npy'.length),
      description: `${member.bytes} bytes${member.method === 0 ? '' : ', compressed'}`,
      rows: () => {
        const label = `array ${shown(member.name)} `;
        const start = dataStartOf(file, member);
        if (member.method === 0 && member.bytes === member.compressedBytes)
          return readNpySource(file, { start, end: start + member.bytes, label });
        return readNpyArray(
          placedBytes(`${file.path}: ${member.name}`, inflated(file, member, start, inflateRaw)),
        ).rows();
      },
    }));
}

function inflated(
  file: PlacedBytes,
  { name, method, crc, bytes, compressedBytes }: ZipMember,
  start: number,
  inflateRaw: InflateRaw | undefined,
): Uint8Array {
  const { path } = file;
  if (method !== 8)
    throw badFeatures(
      path,
      `array ${shown(name)} is compressed by method ${method}; stored and deflated ones are read`,
    );
  if (inflateRaw === undefined)
    throw badFeatures(path, `array ${shown(name)} is compressed; save it with numpy.savez instead of savez_compressed`);
  if (bytes > largestRatio * compressedBytes)
    throw badFeatures(
      path,
      `array ${shown(name)} is said to have ${bytes} bytes; ${compressedBytes} compressed ones make at most ${largestRatio * compressedBytes}`,
    );
  const compressed = new Uint8Array(compressedBytes);
  file.read(compressed, start);
  let whole: Uint8Array;
  try {
    whole = inflateRaw(compressed, bytes);
  } catch (error) {
    throw badFeatures(path, `array ${shown(name)} cannot be decompressed to its ${bytes} bytes; it is damaged`, error);
  }
  if (whole.length !== bytes)
    throw badFeatures(path, `array ${shown(name)} is said to have ${bytes} bytes; ${whole.length} were found`);
  if (crc32(whole) !== crc)
    throw badFeatures(path, `array ${shown(name)} does not have the checksum that it was saved with; it is damaged`);
  return whole;
}
