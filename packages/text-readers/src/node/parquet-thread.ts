/**
 * Decodes a Parquet file in a worker thread, which is ended when it needs more memory than the file bears out, when the
 * signal is aborted, or when the loop is left. A thread that has read a file to its end reads the next one.
 */
import { SparseDataError, type SparseDataErrorCode } from '@vastmax/sparse-data';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ParquetOptions, ParquetRow } from '../parquet-rows.ts';
import type { ParquetBlock, ParquetFailure, ParquetRequest } from './parquet-worker.ts';

const freeBytes = 32 * 2 ** 20;
const bytesPerByte = 64;
const freeElements = 2 ** 20;
const elementsPerByte = 8;
const freeMilliseconds = 10_000;
const millisecondsPerByte = 0.001;
/** How often memory, time and signal are looked at while a block is decoded. */
const millisecondsBetweenLooks = 5;

/**
 * The program is a file beside this one. Where this one is TypeScript, in this repository, the program is bundled first,
 * since the loaders of TypeScript do not reach into threads.
 */
function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./parquet-worker.js', import.meta.url));
  bundled ??= bundleProgram();
  return new Worker(bundled, { eval: true, execArgv: [] });
}

let bundled: string | undefined;

function bundleProgram(): string {
  // This file may be in a bundle itself, which a test starts.
  const own = createRequire(import.meta.url).resolve('@vastmax/text-readers/package.json');
  const { buildSync } = createRequire(own)('esbuild') as Esbuild;
  const { outputFiles } = buildSync({
    entryPoints: [join(dirname(own), 'src/node/parquet-worker.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    conditions: ['@vastmax/source'],
  });
  return outputFiles[0]?.text ?? '';
}

interface Esbuild {
  buildSync(options: object): { readonly outputFiles: readonly { readonly text: string }[] };
}

let idle: Worker | undefined;

function takeWorker(): Worker {
  const worker = idle ?? startWorker();
  if (idle === undefined) {
    // Whoever asks for a block hears of an error; one that comes later must not end the process.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (idle === worker) idle = undefined;
    });
  }
  idle = undefined;
  worker.ref();
  return worker;
}

function keepWorker(worker: Worker): void {
  if (idle === undefined) {
    idle = worker;
    worker.unref();
  } else void worker.terminate();
}

/** @throws SparseDataError as parseParquet, and `record-too-long`; what `signal` throws. */
export async function* decodeInThread(
  path: string,
  bytes: number,
  { columns, maximumRowGroupBytes, signal, onProgress }: Omit<ParquetOptions, 'name' | 'compressors'>,
): AsyncGenerator<ParquetRow, void, undefined> {
  const limit = freeBytes + bytesPerByte * bytes;
  const milliseconds = freeMilliseconds + millisecondsPerByte * bytes;
  const worker = takeWorker();
  let request: ParquetRequest | undefined = {
    path,
    options: {
      ...(columns === undefined ? {} : { columns: [...columns] }),
      ...(maximumRowGroupBytes === undefined ? {} : { maximumRowGroupBytes }),
    },
    maximumElements: freeElements + elementsPerByte * bytes,
  };
  let isDone = false;
  try {
    for (let isLast = false; !isLast;) {
      signal?.throwIfAborted();
      const block = await nextBlock(worker, request, { path, limit, milliseconds, signal });
      request = undefined;
      if ('message' in block) {
        isDone = true;
        throw block.code === undefined
          ? new SparseDataError('bad-parquet', `readParquet: ${path}: ${block.message}`)
          : new SparseDataError(block.code as SparseDataErrorCode, block.message);
      }
      ({ isLast } = block);
      isDone = isLast;
      for (const row of block.rows) yield row;
      for (const each of block.progress) onProgress?.(...each);
    }
  } finally {
    if (isDone) keepWorker(worker);
    else await worker.terminate();
  }
}

interface BlockLimits {
  readonly path: string;
  /** Bytes of memory. */
  readonly limit: number;
  readonly milliseconds: number;
  readonly signal: ParquetOptions['signal'];
}

function nextBlock(
  worker: Worker,
  request: ParquetRequest | undefined,
  { path, limit, milliseconds, signal }: BlockLimits,
): Promise<ParquetBlock | ParquetFailure> {
  return new Promise((resolve, reject) => {
    const before = process.memoryUsage.rss();
    const started = performance.now();
    const finish = (): void => {
      clearInterval(looks);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const fail = (error: unknown): void => {
      finish();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onMessage = (reply: ParquetBlock | ParquetFailure): void => {
      finish();
      resolve(reply);
    };
    const onError = (error: unknown): void => {
      const reason = error instanceof Error ? error.message : String(error);
      fail(
        new SparseDataError('bad-parquet', `readParquet: ${path}: its decoding failed (${reason})`, { cause: error }),
      );
    };
    const onExit = (): void => {
      fail(new SparseDataError('bad-parquet', `readParquet: ${path}: the thread that decodes it has ended`));
    };
    const looks = setInterval(() => {
      try {
        signal?.throwIfAborted();
        if (performance.now() - started > milliseconds)
          fail(
            new SparseDataError(
              'record-too-long',
              `readParquet: ${path}: decoding a row group takes longer than ${Math.round(milliseconds)} ms, 1 ms for each 1000 bytes of the file and 10 s; write it with smaller row groups`,
            ),
          );
        const used = process.memoryUsage.rss() - before;
        if (used > limit)
          fail(
            new SparseDataError(
              'record-too-long',
              `readParquet: ${path}: decoding a row group takes more than ${limit} bytes of memory, 64 times the file and 32 MiB; write it with smaller row groups`,
            ),
          );
      } catch (error) {
        fail(error);
      }
    }, millisecondsBetweenLooks);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(request);
  });
}
