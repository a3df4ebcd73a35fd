/**
 * The three things that live on a backend. A handle knows its shape and its lifetime; the numbers are in `storage`,
 * which only the backend that made it looks into.
 *
 * A Matrix may be resized within the room it was created with, because minibatches, target lists and touched rows vary
 * from step to step while a training loop must not create handles: the first rows·columns numbers of the storage are
 * the matrix. Rejected: views (a second handle on the same storage), whose lifetime and aliasing every backend would
 * have to track.
 */
import type { Backend } from './backend.ts';
import { LinalgError } from './errors.ts';

type HandleKind = 'matrix' | 'table' | 'indices';
/** Recognises handles of another copy of this package, where `instanceof` would not. */
const handleBrand = Symbol.for('vastmax.handle');

function checkSize(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new LinalgError('shape', `${what} must be a whole number of at least 0, got ${value}`);
  }
}

/** A dense row-major matrix that lives where the arithmetic is. Whoever creates it disposes it. */
export class Matrix implements Disposable {
  readonly backend: Backend;
  /** The backend's own; nobody else looks inside. */
  readonly storage: unknown;
  /** How many numbers fit: rows·columns as created. */
  readonly capacity: number;
  #rows: number;
  #columns: number;
  #disposed = false;

  constructor(backend: Backend, rows: number, columns: number, storage: unknown) {
    checkSize('rows of a matrix', rows);
    checkSize('columns of a matrix', columns);
    this.backend = backend;
    this.storage = storage;
    this.capacity = rows * columns;
    this.#rows = rows;
    this.#columns = columns;
  }

  get rows(): number {
    return this.#rows;
  }

  get columns(): number {
    return this.#columns;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Give the matrix another shape over the same storage, at no cost: the first rows·columns numbers, row by row.
   * @throws LinalgError `shape` when rows·columns exceeds the capacity, `disposed` after disposal.
   */
  resize(rows: number, columns: number): this {
    if (this.#disposed)
      throw new LinalgError('disposed', `resize: the matrix was disposed (it was ${describeShape(this)})`);
    if (rows !== this.#rows || columns !== this.#columns) {
      checkSize('rows of a matrix', rows);
      checkSize('columns of a matrix', columns);
      if (rows * columns > this.capacity) {
        throw new LinalgError(
          'shape',
          `resize: ${rows}×${columns} needs ${rows * columns} numbers, the matrix was created with room for ${this.capacity}; create a larger one`,
        );
      }
      this.#rows = rows;
      this.#columns = columns;
    }
    return this;
  }

  /** Hand the storage back. Idempotent, legal while work is in flight; any later use throws. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.backend.release(this);
  }
}

Object.defineProperty(Matrix.prototype, handleBrand, { value: 'matrix' satisfies HandleKind });

/**
 * A table of D rows that can only be gathered from, scattered into and streamed by blocks: nothing with D rows can
 * enter a gemm by mistake, and a backend may keep it in pieces, on the host, or on several devices.
 */
export class RowTable implements Disposable {
  readonly backend: Backend;
  readonly storage: unknown;
  readonly columns: number;
  #rows: number;
  #disposed = false;

  constructor(backend: Backend, rows: number, columns: number, storage: unknown) {
    checkSize('rows of a table', rows);
    checkSize('columns of a table', columns);
    this.backend = backend;
    this.storage = storage;
    this.columns = columns;
    this.#rows = rows;
  }

  get rows(): number {
    return this.#rows;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** For the operation `growTable` alone, after the backend has made room. */
  grown(rows: number): void {
    checkSize('rows of a table', rows);
    this.#rows = rows;
  }

  /** Hand the storage back. Idempotent, legal while work is in flight; any later use throws. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.backend.release(this);
  }
}

Object.defineProperty(RowTable.prototype, handleBrand, { value: 'table' satisfies HandleKind });

/**
 * Row numbers. They come from the host and stay known there, so that range checks cost O(1) and a device can group
 * them.
 */
export class Indices implements Disposable {
  readonly backend: Backend;
  readonly storage: unknown;
  readonly capacity: number;
  /** The host's copy; the first `count` are valid. Written only by `writeIndices`. */
  readonly values: Int32Array;
  #count = 0;
  #maximum = -1;
  #disposed = false;

  constructor(backend: Backend, capacity: number, storage: unknown) {
    checkSize('capacity of indices', capacity);
    this.backend = backend;
    this.storage = storage;
    this.capacity = capacity;
    this.values = new Int32Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** The largest index, -1 when there is none. */
  get maximum(): number {
    return this.#maximum;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** For the operation `writeIndices` alone: take over the host's values. */
  take(values: Int32Array, count: number): void {
    let maximum = -1;
    for (let position = 0; position < count; position++) {
      const index = values[position]!;
      if (index < 0) {
        throw new LinalgError('index-out-of-range', `writeIndices: index ${index} at position ${position} is negative`);
      }
      if (index > maximum) maximum = index;
    }
    for (let position = 0; position < count; position++) this.values[position] = values[position]!;
    this.#count = count;
    this.#maximum = maximum;
  }

  /** Hand the storage back. Idempotent, legal while work is in flight; any later use throws. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.backend.release(this);
  }
}

function hasKind(value: unknown, kind: HandleKind): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, handleBrand) === kind;
}

/** True for a Matrix of any copy of this package. */
export function isMatrix(value: unknown): value is Matrix {
  return hasKind(value, 'matrix');
}

/** True for a RowTable of any copy of this package. */
export function isRowTable(value: unknown): value is RowTable {
  return hasKind(value, 'table');
}

/** `3×4`, for messages. */
export function describeShape(handle: { readonly rows: number; readonly columns: number }): string {
  return `${handle.rows}×${handle.columns}`;
}
