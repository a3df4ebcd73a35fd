import type { Backend, Indices, Matrix, RowTable } from './backend.ts';

/**
 * Owns handles and disposes them together, last first. A value to pass on, not ambient state, so it works across
 * `await`.
 *
 *     using scope = new Scope(backend);
 *     const product = scope.matrix(3, 5);
 */
export class Scope implements Disposable {
  readonly backend: Backend;
  readonly #owned: Disposable[] = [];

  constructor(backend: Backend) {
    this.backend = backend;
  }

  matrix(rows: number, columns: number): Matrix {
    return this.own(this.backend.createMatrix(rows, columns));
  }

  table(rows: number, columns: number): RowTable {
    return this.own(this.backend.createTable(rows, columns));
  }

  indices(capacity: number): Indices {
    return this.own(this.backend.createIndices(capacity));
  }

  /** Take over something that exists already. */
  own<T extends Disposable>(handle: T): T {
    this.#owned.push(handle);
    return handle;
  }

  [Symbol.dispose](): void {
    for (;;) {
      const handle = this.#owned.pop();
      if (handle === undefined) return;
      handle[Symbol.dispose]();
    }
  }
}
