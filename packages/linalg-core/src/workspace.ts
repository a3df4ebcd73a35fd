/**
 * Named matrices and index lists that a loop asks for at every step: the same handle comes back, resized to what the
 * step needs, and a new one is made only when it has become too small. Room grows by half at least, so that a loop with
 * varying minibatches and target counts stops creating handles after its first few steps.
 */
import type { Backend } from './backend.ts';
import type { Indices, Matrix } from './handles.ts';
import { writeIndices } from './operations/storage.ts';

export class Workspace implements Disposable {
  readonly backend: Backend;
  readonly #matrices = new Map<string, Matrix>();
  readonly #indices = new Map<string, Indices>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** The matrix of that name as rows×columns. Its content is whatever was there: write before you read. */
  matrix(name: string, rows: number, columns: number): Matrix {
    const existing = this.#matrices.get(name);
    const needed = rows * columns;
    if (existing !== undefined && existing.capacity >= needed) return existing.resize(rows, columns);
    const capacity = existing === undefined ? needed : Math.max(needed, Math.ceil(existing.capacity * 1.5));
    existing?.[Symbol.dispose]();
    const created = this.backend.createMatrix(1, capacity).resize(rows, columns);
    this.#matrices.set(name, created);
    return created;
  }

  /** The index list of that name, holding the first `count` of `values`. */
  indices(name: string, values: Int32Array, count: number = values.length): Indices {
    let list = this.#indices.get(name);
    if (list === undefined || list.capacity < count) {
      const capacity = list === undefined ? count : Math.max(count, Math.ceil(list.capacity * 1.5));
      list?.[Symbol.dispose]();
      list = this.backend.createIndices(capacity);
      this.#indices.set(name, list);
    }
    writeIndices(values, list, count);
    return list;
  }

  [Symbol.dispose](): void {
    for (const matrix of this.#matrices.values()) matrix[Symbol.dispose]();
    for (const list of this.#indices.values()) list[Symbol.dispose]();
    this.#matrices.clear();
    this.#indices.clear();
  }
}
