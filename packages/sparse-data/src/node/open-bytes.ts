// Opens a file or standard input as a stream of decompressed bytes. What a file is, its first bytes say; the extension
// of its name, in either case, says it only where they do not (Brotli has no magic number). So a gzip file of any name
// is decompressed, from standard input too, and a Parquet file is never taken for a text.

import { Buffer } from 'node:buffer';
import { constants, createReadStream, open, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import process from 'node:process';
import { addAbortSignal, pipeline, Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { CancellationSignal } from '../cancellation.ts';
import { SparseDataError } from '../errors.ts';

/** The paths that mean standard input; the system's own cannot be opened where it is a socket. */
const STANDARD_INPUT: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];
/** Bytes that are looked at to find out what a file is, at most. */
const HEAD_BYTES = 512;

/** Whether a path means standard input: `-`, `/dev/stdin` and its like. */
export function isStandardInput(path: string): boolean {
  return STANDARD_INPUT.includes(path);
}

/** Whether a path is that of a named pipe, `<(…)` among them. It is not opened; false for what cannot be looked at. */
export function isPipe(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFIFO(),
    () => false,
  );
}

/** The bytes of a file or of standard input, decompressed, from the first on. */
export interface OpenBytes {
  /** The first decompressed bytes, as many as came at once, 512 at most. */
  readonly head: Uint8Array;
  /** All decompressed bytes, those of `head` among them; can be read once. */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
  /** Bytes of the file read so far, or undefined if the number is not known. */
  readonly bytesRead: () => number | undefined;
  /** Infinity for standard input, pipes and devices. */
  readonly fileBytes: number;
  /** Whether `fileBytes` is also the number of decompressed bytes. */
  readonly isPlain: boolean;
  readonly close: () => void;
}

/**
 * Opens a file for reading from its start, decompressed if its first bytes are those of gzip or (from Node 22.15 on)
 * zstd, or if its name ends in `.br`.
 * @param path path of a file or a named pipe, or `-` for standard input.
 * @param options `chunkBytes` per read; `signal`: an AbortSignal ends the wait for a pipe that sends nothing.
 * @throws SparseDataError, here or while the chunks are read: `missing-file`, `not-a-file`, `unreadable-file`,
 * `corrupt-compression`
 */
export async function openBytes(
  path: string,
  {
    chunkBytes = 2 ** 18,
    signal,
  }: { readonly chunkBytes?: number; readonly signal?: CancellationSignal | undefined } = {},
): Promise<OpenBytes> {
  const { file, fileBytes } = await openFile(path, chunkBytes);
  if (signal instanceof AbortSignal) addAbortSignal(signal, file);
  const bytesRead = (): number | undefined => ('bytesRead' in file ? Number(file.bytesRead) : undefined);
  let decompress: Transform | undefined;
  const close = (): void => {
    decompress?.destroy();
    file.destroy();
  };
  try {
    const raw = await withHead(file, path);
    decompress = decompressorOf(raw.head, path);
    if (decompress === undefined) return { ...raw, bytesRead, fileBytes, isPlain: true, close };
    // pipeline passes an error of the file to the decompressor, and the reader of the decompressor gets it, so the
    // callback has nothing to do.
    pipeline(Readable.from(raw.chunks), decompress, () => undefined);
    return { ...(await withHead(decompress, path)), bytesRead, fileBytes, isPlain: false, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function openFile(
  path: string,
  chunkBytes: number,
): Promise<{ readonly file: Readable; readonly fileBytes: number }> {
  if (isStandardInput(path)) return { file: process.stdin, fileBytes: Number.POSITIVE_INFINITY };
  let stats: Stats;
  try {
    stats = await stat(path);
  } catch (error) {
    throw openError(path, error);
  }
  if (stats.isDirectory())
    throw new SparseDataError('not-a-file', `readLines: ${path} is a directory; a text file is needed`);
  return {
    file: stats.isFIFO() ? await openPipe(path) : createReadStream(path, { highWaterMark: chunkBytes }),
    fileBytes: stats.isFile() ? stats.size : Number.POSITIVE_INFINITY,
  };
}

/**
 * Opening a named pipe waits for its writer, in a thread that nothing can interrupt, not even the end of the process. So
 * it is opened without waiting, and the event loop waits for what comes.
 */
async function openPipe(path: string): Promise<Socket> {
  try {
    // Node 20 takes the type of the file that was looked at last for that of the next module's folder, and resolves no
    // links behind a pipe: a later import() would fail.
    await stat('/');
    const descriptor = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd: descriptor, readable: true, writable: false });
  } catch (error) {
    throw openError(path, error);
  }
}

/** Reads the first chunks of a stream, until they say what it is: a text that comes slowly is not waited for. */
async function withHead(stream: Readable, path: string): Promise<Pick<OpenBytes, 'head' | 'chunks'>> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const next = async (): Promise<Buffer | undefined> => {
    try {
      return (await iterator.next()).value;
    } catch (error) {
      throw openError(path, error);
    }
  };
  const first: Buffer[] = [];
  while (mayBeKnown(Buffer.concat(first))) {
    const chunk = await next();
    if (chunk === undefined) break;
    first.push(chunk);
  }
  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    yield* first;
    for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTES), chunks: chunks() };
}

const MAGIC_NUMBERS: readonly (readonly [kind: string, bytes: string])[] = [
  ['gzip', '\x1f\x8b'],
  ['zstd', '\x28\xb5\x2f\xfd'],
  ['xz', '\xfd7zXZ\0'],
  ['bzip2', 'BZh91AY&SY'],
  ['lz4', '\x04\x22\x4d\x18'],
  ['zip', 'PK\x03\x04'],
  // The byte after PAR1 begins the header of a page, or the footer.
  ['Parquet', 'PAR1\x15'],
];

/** What a file is by its first bytes; undefined for text, and for what is not known. */
export function kindOfBytes(head: Uint8Array): string | undefined {
  const start = String.fromCharCode(...head.subarray(0, 16));
  return MAGIC_NUMBERS.find(([, bytes]) => start.startsWith(bytes))?.[0];
}

/** Whether more bytes could make a known kind of what begins so. */
function mayBeKnown(head: Buffer): boolean {
  const start = head.toString('latin1', 0, 16);
  return MAGIC_NUMBERS.some(([, bytes]) => start.length < bytes.length && bytes.startsWith(start));
}

function decompressorOf(head: Uint8Array, path: string): Transform | undefined {
  const kind = kindOfBytes(head);
  if (kind === 'gzip' || (kind === undefined && /\.gz$/i.test(path))) return zlib.createGunzip();
  if (kind === undefined && /\.br$/i.test(path)) return zlib.createBrotliDecompress();
  if (kind !== 'zstd') return undefined;
  // From Node 22.15 on; the types used here are those of Node 20.
  const createZstd: unknown = Reflect.get(zlib, 'createZstdDecompress');
  if (typeof createZstd === 'function') return (createZstd as () => Transform)();
  throw new SparseDataError(
    'corrupt-compression',
    `readLines: ${inputName(path)} is compressed by zstd, which Node reads from version 22.15 on; this is ${process.version}: decompress the file`,
  );
}

/** The name of a path in messages. */
export function inputName(path: string): string {
  return isStandardInput(path) ? 'standard input' : path;
}

/**
 * Converts an error of open, read or decompression to a SparseDataError with the system's error as its cause; returns
 * other errors unchanged.
 */
function openError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const cause = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new SparseDataError('missing-file', `readLines: there is no file ${path}; check the path`, cause);
  // Error codes of zlib begin with Z_ or ZSTD_, those of Brotli with ERR_BROTLI or, in Node, ERR__ERROR.
  if (/^(Z_|ZSTD_|ERR_ZSTD|ERR_BROTLI|ERR__ERROR)/.test(error.code)) {
    return new SparseDataError(
      'corrupt-compression',
      `readLines: ${inputName(path)} does not decompress (${error.message}); it is truncated, damaged or not what its extension says`,
      cause,
    );
  }
  if (!('syscall' in error)) return error;
  return new SparseDataError(
    'unreadable-file',
    `readLines: ${inputName(path)} cannot be read (${error.message}); check its permissions and its disk`,
    cause,
  );
}
