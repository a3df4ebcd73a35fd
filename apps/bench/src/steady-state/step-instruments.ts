import type { Backend } from '@vastmax/linalg-core';

const creations = ['createMatrix', 'createTable', 'createIndices'] as const;

/** Counts the handles that a backend instance creates from now on, until it is disposed. */
export class HandleCounter implements Disposable {
  count = 0;
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
    for (const name of creations) {
      const create: unknown = Reflect.get(backend, name);
      if (typeof create !== 'function') continue;
      Object.assign(backend, {
        [name]: (...sizes: unknown[]): unknown => {
          this.count++;
          return Reflect.apply(create, backend, sizes);
        },
      });
    }
  }

  [Symbol.dispose](): void {
    for (const name of creations) Reflect.deleteProperty(this.#backend, name);
  }
}

/** Adds up the time between `begin` and `end`, in milliseconds. */
export class Stopwatch {
  milliseconds = 0;
  #begun = 0;

  readonly onPhase = (phase: 'begin' | 'end'): void => {
    const now = performance.now();
    if (phase === 'begin') this.#begun = now;
    else this.milliseconds += now - this.#begun;
  };

  reset(): void {
    this.milliseconds = 0;
  }
}
