/** Ctrl-C: the first press asks the work to stop where nothing is lost, the second ends the process at once. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #listener = (): void => {
    if (this.#controller.signal.aborted) process.exit(130);
    // On a terminal this takes the place of a bar, which is drawn again below.
    process.stderr.write(`${process.stderr.isTTY ? '\r\u001B[K' : ''}stopping; press Ctrl-C again to end at once\n`);
    this.#controller.abort();
  };

  constructor() {
    process.on('SIGINT', this.#listener);
    process.on('SIGTERM', this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#listener);
    process.off('SIGTERM', this.#listener);
  }
}
