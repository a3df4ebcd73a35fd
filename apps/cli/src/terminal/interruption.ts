/**
 * Signals that ask the command to end: Ctrl-C, SIGTERM, and SIGHUP of a closed terminal. The first one requests a stop
 * without loss of progress, the second one ends the process at once.
 *
 * Node calls signal handlers between two pieces of JavaScript, so a long computation keeps them waiting. A worker counts
 * the signals too, and kills the process if it is still there a second after the second one. The worker needs a part of
 * Node that is not public (`process.binding('signal_wrap')`; process.on has no signals in workers): where it is missing,
 * the second signal waits for the computation to end.
 */
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';
import { printNotice } from './terminal.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const graceMs = 1000;

const countSignals = `
process.noDeprecation = true;
const { workerData } = require('node:worker_threads');
let count = 0;
try {
  const { Signal } = process.binding('signal_wrap');
  for (const number of workerData.numbers) {
    const signal = new Signal();
    signal.onsignal = () => {
      if (++count === 2) setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData.graceMs);
    };
    signal.start(number);
  }
} catch {}
`;

export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #worker = new Worker(countSignals, {
    eval: true,
    execArgv: [],
    workerData: { numbers: signals.map((signal) => constants.signals[signal]), graceMs },
  });
  readonly #listener = (): void => {
    if (this.#controller.signal.aborted) process.exit(130);
    printNotice('stopping; press Ctrl-C again to end at once');
    this.#controller.abort();
  };

  constructor() {
    // A system that has no thread left must not end the command.
    this.#worker.on('error', () => undefined).unref();
    for (const signal of signals) process.on(signal, this.#listener);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#listener);
    void this.#worker.terminate();
  }
}
