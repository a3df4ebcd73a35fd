// Writes vectors to a .npy file as they come, so that rows of Parquet or JSON Lines that are larger than memory can be
// read at their places. The header says how many rows there are, which is known at the end; until then it says 0, and
// such a file is refused.

import { open } from 'node:fs/promises';
import { checkWidth, type VectorRow } from '../features/vectors.ts';

/** How an .npy file is written. */
export interface WriteNpyOptions {
  /** Default `f32`. */
  readonly precision?: 'f32' | 'f64';
}

const headerBytes = 128;
const bytesPerWrite = 2 ** 20;

/**
 * @returns the shape.
 * @throws SparseDataError `bad-features` for vectors of different lengths; what the file system throws.
 */
export async function writeNpy(
  path: string,
  vectors: AsyncIterable<VectorRow>,
  { precision = 'f32' }: WriteNpyOptions = {},
): Promise<{ readonly rows: number; readonly columns: number }> {
  await using file = await open(path, 'w');
  const size = precision === 'f64' ? 8 : 4;
  let rows = 0;
  let width = 0;
  let block = Buffer.alloc(0);
  let used = 0;
  await file.write(headerOf(precision, 0, 1), 0, headerBytes, 0);
  let position = headerBytes;
  const flush = async (): Promise<void> => {
    for (let done = 0; done < used;) done += (await file.write(block, done, used - done, position + done)).bytesWritten;
    position += used;
    used = 0;
  };
  for await (const { place, vector } of vectors) {
    width = checkWidth(path, place, vector.length, width);
    if (block.length === 0)
      block = Buffer.alloc(Math.max(1, Math.floor(bytesPerWrite / (width * size))) * width * size);
    for (let i = 0; i < width; i++)
      used = precision === 'f64' ? block.writeDoubleLE(vector[i]!, used) : block.writeFloatLE(vector[i]!, used);
    rows++;
    if (used === block.length) await flush();
  }
  await flush();
  await file.write(headerOf(precision, rows, Math.max(1, width)), 0, headerBytes, 0);
  return { rows, columns: width };
}

/** Version 1.0, padded with spaces so that the numbers begin at byte 128. */
function headerOf(precision: 'f32' | 'f64', rows: number, columns: number): Buffer {
  const text = `{'descr': '<f${precision === 'f64' ? 8 : 4}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = Buffer.alloc(headerBytes, 0x20);
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(headerBytes - 10, 8);
  header.write(text, 10, 'latin1');
  header.write('\n', headerBytes - 1, 'latin1');
  return header;
}
