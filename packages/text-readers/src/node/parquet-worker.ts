/**
 * The program of a worker thread that decodes Parquet files. A small file may claim any number of rows, and the decoder
 * believes it: here it can be stopped at any moment, and arrays of more elements than the file bears out are refused
 * before they are made. It sends blocks of rows, one for each that it is asked for.
 */
import { isSparseDataError } from '@vastmax/sparse-data';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { parseParquet, type ParquetOptions } from '../parquet-rows.ts';
import { nodeCompressors } from './compressors.ts';

/** What is to be read; the first message. Each later one asks for a block. */
export interface ParquetRequest {
  readonly path: string;
  readonly options: Pick<ParquetOptions, 'columns' | 'maximumRowGroupBytes'>;
  /** How many elements an array may have. */
  readonly maximumElements: number;
}

export interface ParquetBlock {
  readonly rows: readonly { readonly row: number; readonly values: Readonly<Record<string, unknown>> }[];
  /** After each row group that ends in the block: the rows so far, and all. */
  readonly progress: readonly (readonly [number, number])[];
  readonly isLast: boolean;
}

export interface ParquetFailure {
  /** Of a SparseDataError. */
  readonly code: string | undefined;
  readonly message: string;
}

const rowsPerBlock = 256;

const constructors = ['Array', 'Uint8Array', 'Int32Array', 'BigInt64Array', 'Float32Array', 'Float64Array'] as const;
let maximumElements = Infinity;

/** In this thread only. */
function limitArrays(): void {
  for (const name of constructors) {
    const original = globalThis[name] as unknown as new (...parameters: unknown[]) => object;
    const limited = new Proxy(original, {
      construct: (target, parameters, newTarget) => {
        const [length] = parameters as readonly unknown[];
        if (typeof length === 'number' && length > maximumElements)
          throw new RangeError(
            `it asks for ${length} values at once; at most ${maximumElements}, 8 for each byte of the file and 1,048,576, are allowed`,
          );
        return Reflect.construct(target, parameters, newTarget) as object;
      },
      apply: (target, _, parameters) => Reflect.construct(target, parameters) as object,
    });
    Object.defineProperty(globalThis, name, { value: limited, writable: true, configurable: true });
  }
}

async function* read({ path, options }: ParquetRequest): AsyncGenerator<ParquetBlock, void, undefined> {
  const file = openSync(path, 'r');
  try {
    const byteLength = fstatSync(file).size;
    let progress: (readonly [number, number])[] = [];
    let rows: ParquetBlock['rows'][number][] = [];
    const stream = parseParquet(
      { byteLength, slice: (start, end = byteLength) => readRange(file, start, end, byteLength) },
      {
        ...options,
        name: path,
        compressors: nodeCompressors(),
        onProgress: (...each) => progress.push(each),
      },
    );
    try {
      for await (const row of stream) {
        rows.push(row);
        if (rows.length < rowsPerBlock) continue;
        yield { rows, progress, isLast: false };
        [rows, progress] = [[], []];
      }
    } catch (error) {
      // The rows before what is wrong are still sent.
      if (rows.length > 0) yield { rows, progress, isLast: false };
      throw error;
    }
    yield { rows, progress, isLast: true };
  } finally {
    closeSync(file);
  }
}

/** The range comes from the footer of the file; it is checked before memory is allocated. */
function readRange(file: number, start: number, end: number, byteLength: number): ArrayBuffer {
  if (!(start >= 0 && start <= end && end <= byteLength))
    throw new RangeError(
      `bytes ${start} to ${end} are asked for, the file has ${byteLength}; it is truncated or damaged`,
    );
  const bytes = new Uint8Array(new ArrayBuffer(end - start));
  for (let done = 0; done < bytes.length;) {
    const count = readSync(file, bytes, done, bytes.length - done, start + done);
    if (count === 0) throw new RangeError(`it ends at byte ${start + done}; it had ${byteLength} when it was opened`);
    done += count;
  }
  return bytes.buffer;
}

let blocks: AsyncGenerator<ParquetBlock, void, undefined> | undefined;

async function answer(request: ParquetRequest | undefined): Promise<ParquetBlock | ParquetFailure> {
  try {
    if (request !== undefined) {
      await blocks?.return();
      maximumElements = request.maximumElements;
      blocks = read(request);
    }
    const next = await blocks?.next();
    return next?.value ?? { rows: [], progress: [], isLast: true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: isSparseDataError(error) ? error.code : undefined, message };
  }
}

limitArrays();
// Of damaged files hyparquet rejects promises that nobody awaits; the one that is awaited says what is wrong.
process.on('unhandledRejection', () => undefined);
parentPort?.on('message', (request: ParquetRequest | undefined) => {
  void answer(request).then((reply) => {
    try {
      parentPort?.postMessage(reply);
    } catch (error) {
      parentPort?.postMessage({ code: undefined, message: String(error) } satisfies ParquetFailure);
    }
  });
});
