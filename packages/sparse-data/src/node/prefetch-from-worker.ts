// A stream that runs in a thread of its own: reading, decompressing, parsing and batching take no time from the thread
// that trains. The worker may be `depth` items ahead; each item that is taken here gives it leave to make another.
// Items are copied by structured clone, so a source may reuse its buffers.

import { Worker } from 'node:worker_threads';
import { SparseDataError } from '../errors.ts';
import { checkInteger } from '../errors.ts';
import type { Prefetched, PrefetchOptions } from '../batches/prefetch.ts';
import { prefetch } from '../batches/prefetch.ts';

export interface PrefetchFromWorkerOptions extends PrefetchOptions {
  /** How many items may be ready; 4 unless given. */
  readonly depth?: number;
  /** For the function of the module; whatever structured clone can copy. */
  readonly data?: unknown;
}

// A string, so that it needs no file that a bundler could lose. It sends ['item', value], ['end'] or ['error', error].
const bootstrap = `
const { parentPort, workerData } = require('node:worker_threads');
let credits = workerData.depth;
let wake = () => {};
parentPort.on('message', () => { credits++; wake(); });
(async () => {
  const module = await import(workerData.module);
  if (typeof module.default !== 'function') throw new TypeError('its default export is ' + typeof module.default + '; a function that gives an iterable is needed');
  for await (const item of module.default(workerData.data)) {
    while (credits === 0) await new Promise((resolve) => { wake = resolve; });
    credits--;
    parentPort.postMessage(['item', item]);
  }
  parentPort.postMessage(['end']);
})().catch((error) => {
  try {
    parentPort.postMessage(['error', error]);
  } catch {
    parentPort.postMessage(['error', new Error(String(error))]);
  }
}).finally(() => { parentPort.close(); });
`;

type Message<T> = readonly ['item', T] | readonly ['end'] | readonly ['error', unknown];

/**
 * The items of a stream that a module makes in a worker thread, in order. Its default export is a function of `data`
 * that returns an iterable or an async iterable. Leaving the loop early ends the worker.
 * @param module a file: URL, `new URL('batches.js', import.meta.url)` for instance.
 * @throws SparseDataError `bad-option`; on iteration `worker-failed` when the module cannot be used, throws, or its
 * thread ends, with the error of the worker as the cause
 */
export function prefetchFromWorker<T>(
  module: { readonly href: string },
  options: PrefetchFromWorkerOptions = {},
): Prefetched<T> {
  const { depth = 4, data, ...rest } = options;
  checkInteger('prefetchFromWorker', 'depth', depth, 1, 2 ** 20);
  return prefetch(itemsOf<T>(module, depth, data), 1, rest);
}

async function* itemsOf<T>(
  module: { readonly href: string },
  depth: number,
  data: unknown,
): AsyncGenerator<T, void, undefined> {
  const worker = new Worker(bootstrap, { eval: true, workerData: { module: module.href, depth, data } });
  const fail = (cause: unknown): SparseDataError =>
    new SparseDataError(
      'worker-failed',
      `prefetchFromWorker: ${module.href}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  const received: Message<T>[] = [];
  let wake = (): void => undefined;
  const receive = (message: Message<T>): void => {
    received.push(message);
    wake();
  };
  worker.on('message', receive);
  worker.on('messageerror', (error) => {
    receive(['error', error]);
  });
  worker.on('error', (error) => {
    receive(['error', error]);
  });
  worker.on('exit', (code) => {
    receive(['error', new Error(`the worker ended with code ${code} before its stream did`)]);
  });
  try {
    for (;;) {
      const message = received.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      if (message[0] === 'end') return;
      if (message[0] === 'error') throw fail(message[1]);
      worker.postMessage('more');
      yield message[1];
    }
  } finally {
    worker.removeAllListeners();
    await worker.terminate();
  }
}
