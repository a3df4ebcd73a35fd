/**
 * Of several processes that do the same, one speaks: the others' output and progress go nowhere until this is disposed.
 * Errors come after that, and are heard.
 */
export class QuietOutput implements Disposable {
  readonly #restore: readonly (() => void)[];

  constructor(streams: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr]) {
    this.#restore = streams.map((stream) => {
      const { write } = stream;
      stream.write = (...args: readonly unknown[]): boolean => {
        // Who waits for the text to be written is told that it is.
        const done = args.at(-1);
        if (typeof done === 'function')
          queueMicrotask(() => {
            (done as () => void)();
          });
        return true;
      };
      return () => {
        stream.write = write;
      };
    });
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }
}
