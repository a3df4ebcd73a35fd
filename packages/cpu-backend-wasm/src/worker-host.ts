/**
 * A worker, in Node a thread of node:worker_threads and elsewhere a Web Worker. Its code is a string in this file: no
 * path, no fetch, so it works in bundles. It sends one message when it is ready, before it enters the kernels' loop,
 * and none afterwards.
 */
import type { WasmMemory, WasmModule } from './web-assembly.ts';

export interface TeamMember {
  /** Resolves when the worker runs; rejects when it cannot. */
  readonly ready: Promise<void>;
  /** Lets the process exit while the worker runs. To be called when it is ready. */
  release(): void;
  /** Resolves when the worker has ended. */
  end(): Promise<void>;
}

export interface WorkerTask {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** From 1 on. */
  readonly thread: number;
  readonly work?: HostWork | undefined;
}

/** Work of another package that the threads share: it is called by chunks, in workers as on the main thread. */
export interface HostWork {
  /**
   * JavaScript: the body of a function of `require`, `calls` and `data` that returns the function of a chunk's number.
   * Workers of Node run it; others have no such work.
   */
  readonly source: string;
  readonly data: unknown;
  /** Where `calls` is in the memory, and how many f64 it has: what the main thread tells the chunks. */
  readonly offset: number;
  readonly length: number;
}

const loop = `const { exports } = new WebAssembly.Instance(task.module, { env: { memory: task.memory }, clock: { now: () => performance.now() }, host: { call } });
announce();
exports.work(task.thread);`;
const nodeSource = `'use strict';
const { workerData: task, parentPort } = require('node:worker_threads');
const announce = () => parentPort.postMessage('ready');
const { work, memory } = task;
const call = work === undefined
  ? () => {}
  : new Function('require', 'calls', 'data', work.source)(require, new Float64Array(memory.buffer, work.offset, work.length), work.data);
${loop}`;
const webSource = `'use strict';
const announce = () => postMessage('ready');
const call = () => {};
onmessage = ({ data: task }) => { ${loop} };`;

interface NodeWorker {
  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodeThreads {
  readonly Worker: new (source: string, options: object) => NodeWorker;
}

interface WebWorker {
  onmessage: (() => void) | null;
  onmessageerror: (() => void) | null;
  onerror: ((event: { readonly message?: string; preventDefault?(): void }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob?: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
}

const host = globalThis as unknown as Host;

/** Loads a built-in module of Node; works in a bundle, where an `import` would not. */
export function findNodeModule(name: string): unknown {
  return host.process?.getBuiltinModule?.(name);
}

export function canStartWorkers(): boolean {
  return findNodeModule('node:worker_threads') !== undefined || host.Worker !== undefined;
}

/**
 * Starts a worker.
 * @param lost called when it ends or fails after it was ready and before `end`, with the reason
 * @throws the error of the host where it does not allow workers
 */
export function startWorker(task: WorkerTask, lost: (reason: string) => void): TeamMember {
  const threads = findNodeModule('node:worker_threads') as NodeThreads | undefined;
  return threads === undefined ? startWebWorker(task, lost) : startNodeWorker(threads, task, lost);
}

function startNodeWorker({ Worker }: NodeThreads, task: WorkerTask, lost: (reason: string) => void): TeamMember {
  // Without the process's options: a TypeScript loader is not needed there and would take longer than the start of the
  // worker.
  const worker = new Worker(nodeSource, { eval: true, workerData: task, execArgv: [], name: `vastmax-${task.thread}` });
  let ended = false;
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new Error(reason));
      if (!ended) lost(reason);
    };
    worker.on('message', () => {
      resolve();
    });
    worker.on('error', (error) => {
      fail(`worker ${task.thread} failed: ${error instanceof Error ? error.message : String(error)}`);
    });
    worker.on('exit', (status) => {
      fail(`worker ${task.thread} exited with code ${String(status)}`);
    });
  });
  return {
    ready,
    release: () => {
      worker.unref();
    },
    end: async () => {
      ended = true;
      await worker.terminate();
    },
  };
}

function startWebWorker(task: WorkerTask, lost: (reason: string) => void): TeamMember {
  const { Worker, Blob, URL } = host;
  if (Worker === undefined || Blob === undefined) throw new Error('there are no workers here');
  const url = URL.createObjectURL(new Blob([webSource], { type: 'text/javascript' }));
  let worker: WebWorker;
  try {
    worker = new Worker(url);
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void => {
      URL.revokeObjectURL(url);
      reject(new Error(reason));
      lost(reason);
    };
    worker.onmessage = () => {
      URL.revokeObjectURL(url);
      resolve();
    };
    worker.onmessageerror = () => {
      fail(`worker ${task.thread} could not receive the shared memory`);
    };
    worker.onerror = (event) => {
      event.preventDefault?.();
      fail(`worker ${task.thread} failed${event.message === undefined ? '' : `: ${event.message}`}`);
    };
    worker.postMessage(task);
  });
  return {
    ready,
    release: () => undefined,
    end: () => {
      worker.onerror = null;
      worker.terminate();
      return Promise.resolve();
    },
  };
}
