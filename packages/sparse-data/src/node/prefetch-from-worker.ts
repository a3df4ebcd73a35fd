// Runs a stream in a worker thread, so that reading, decompressing, parsing and batching do not use time of the
// training thread. The worker may be `depth` items ahead (flow control by credits: each received item allows the worker
// to send one more). Items are copied by structured clone, so a source may reuse its buffers.

import { Worker } from 'node:worker_threads';
import { SparseDataError, checkInteger } from '../errors.ts';
import { type Prefetched, type PrefetchOptions, prefetch } from '../batches/prefetch.ts';

/** How many values are made ahead, and data for the worker. */
export interface PrefetchFromWorkerOptions extends PrefetchOptions {
  /** Largest number of prefetched items; default 4. */
  readonly depth?: number;
  /** The argument of the function that the module exports; must be supported by structured clone. */
  readonly data?: unknown;
}

// The worker program. It is a string, so that bundlers need not include another file. It sends ['item', value], ['end']
// or ['error', error].
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
 * The items of a stream that a module creates in a worker thread, in order. The default export of the module is a
 * function of `data` that returns an iterable or an async iterable. Leaving the loop early terminates the worker.
 * @param module a file: URL, such as `new URL('batches.js', import.meta.url)`.
 * @throws SparseDataError `bad-option`; on iteration `worker-failed` if the module cannot be used, throws, or its
 * thread ends; the cause is the error of the worker
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
