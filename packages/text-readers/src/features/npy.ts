// NumPy's format of one array: a magic string, the version, the length of the header, and a header that is the text of a
// Python dictionary (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Only the three entries
// that NumPy writes are read, by a pattern and not by evaluation, and the sizes are compared with those of the file.

import { shown } from '@vastmax/checkpoints';
import { sourceOfStored, type DenseRowSource, type NumberType, type StoredRows } from '@vastmax/sparse-data';
import {
  badFeatures,
  NoNumbersError,
  storedRowsOf,
  type PlacedArray,
  type PlacedBytes,
  type StoredArray,
} from './stored-arrays.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy itself refuses longer ones of untrusted files than 10,000 characters. */
const maximumHeaderBytes = 65_536;

/** Codes of bytes, text, objects, dates and raw data. */
const withoutNumbers = /^[<>|=][SaUOMmV]/;

const typesByCode: Readonly<Record<string, NumberType>> = {
  f2: 'f16',
  f4: 'f32',
  f8: 'f64',
  i1: 'i8',
  i2: 'i16',
  i4: 'i32',
  i8: 'i64',
  u1: 'u8',
  u2: 'u16',
  u4: 'u32',
  u8: 'u64',
  b1: 'bool',
};

/** Whether bytes begin as those of a .npy file. */
export function isNpy(head: Uint8Array): boolean {
  return magic.every((byte, at) => head[at] === byte);
}

/**
 * The array of a .npy file. Reads the header only.
 * @throws SparseDataError `bad-features` for a header that is none, or that does not fit the file.
 */
export function readNpyArray(file: PlacedBytes): StoredArray {
  const stored = readNpyRows(file, { start: 0, end: file.bytes, label: '' });
  return {
    name: '',
    description: `${stored.type} of ${stored.rows}x${stored.columns}`,
    rows: () => sourceOfStored(stored, file.read),
  };
}

/** Where a .npy file lies within another one. */
export interface NpyPlace {
  readonly start: number;
  readonly end: number;
  /** Before what is wrong, in messages. */
  readonly label: string;
}

export function readNpySource(file: PlacedBytes, place: NpyPlace): DenseRowSource {
  return sourceOfStored(readNpyRows(file, place), file.read);
}

function readNpyRows(file: PlacedBytes, { start, end, label }: NpyPlace): StoredRows {
  const { path } = file;
  const prefix = new Uint8Array(12);
  const available = end - start;
  if (available < prefix.length)
    throw badFeatures(path, `${label}has ${available} bytes; a .npy file has at least ${prefix.length}`);
  file.read(prefix, start);
  if (!isNpy(prefix))
    throw badFeatures(
      path,
      `${label}begins with ${shown(String.fromCharCode(...prefix.subarray(0, 6)))}; "\\x93NUMPY" is needed: is it a .npy file?`,
    );
  const [major, minor] = [prefix[6]!, prefix[7]!];
  if (major < 1 || major > 3 || minor !== 0)
    throw badFeatures(path, `${label}has version ${major}.${minor} of .npy; 1.0, 2.0 and 3.0 are read`);
  const view = new DataView(prefix.buffer);
  const headerStart = major === 1 ? 10 : 12;
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > maximumHeaderBytes || headerStart + headerBytes > available)
    throw badFeatures(
      path,
      `${label}says that its header has ${headerBytes} bytes; at most ${Math.min(maximumHeaderBytes, available - headerStart)} are allowed`,
    );
  const header = new Uint8Array(headerBytes);
  file.read(header, start + headerStart);
  const dataStart = start + headerStart + headerBytes;
  return storedRowsOf(path, { ...parseHeader(path, label, header), label, start: dataStart, bytes: end - dataStart });
}

/** Values that NumPy writes, in any order; a descr of several fields is a list, which the pattern does not take. */
const patterns = {
  descr: /'descr': ?'([^']{1,16})'/,
  order: /'fortran_order': ?(True|False)/,
  shape: /'shape': ?\(([\d, L]{0,400})\)/,
};

function parseHeader(
  path: string,
  label: string,
  header: Uint8Array,
): Pick<PlacedArray, 'type' | 'bigEndian' | 'shape'> {
  const text = new TextDecoder('latin1').decode(header).trim();
  const [, code] = patterns.descr.exec(text) ?? [];
  const [, order] = patterns.order.exec(text) ?? [];
  const [, sizes] = patterns.shape.exec(text) ?? [];
  if (!/^\{.*\}$/s.test(text) || order === undefined || sizes === undefined)
    throw badFeatures(
      path,
      `${label}has the header ${shown(text)}; a dictionary of descr, fortran_order and shape is needed`,
    );
  const type = code === undefined ? undefined : typesByCode[code.slice(1)];
  const byteOrder = code?.slice(0, 1) ?? '';
  if (type === undefined || !'<>|='.includes(byteOrder)) {
    const problem = `${label}has numbers of type ${code === undefined ? 'several fields' : shown(code)}; ${Object.keys(typesByCode).join(', ')} are read`;
    throw code !== undefined && withoutNumbers.test(code)
      ? new NoNumbersError(path, problem)
      : badFeatures(path, problem);
  }
  const shape = sizes
    .split(',')
    .map((size) => size.trim().replace(/L$/, ''))
    .filter((size) => size !== '')
    .map(Number);
  if (!shape.every(Number.isSafeInteger))
    throw badFeatures(path, `${label}has the shape (${sizes}); whole numbers are needed`);
  if (order === 'True' && shape.filter((size) => size > 1).length > 1)
    throw badFeatures(
      path,
      `${label}holds its columns one after the other (fortran_order); save it with numpy.ascontiguousarray`,
    );
  return { type, bigEndian: byteOrder === '>', shape };
}
