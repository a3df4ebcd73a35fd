/**
 * Where a loop spends its time, from outside: every kernel of a backend instance is replaced by one that adds up its
 * duration under a group. Kernels of a CPU backend are done when they return, so the clock needs to await nothing. A
 * kernel that calls another counts as one. The clock costs some 50 ns a call, which is why profiles are taken apart
 * from timings.
 */
import { isRowTable, type Backend, type GemmSettings, type Matrix } from '@vastmax/linalg-core';

export interface KernelGroup {
  readonly group: string;
  readonly milliseconds: number;
  readonly calls: number;
}

/** The sizes of a step, by which products are told apart. */
export interface StepSizes {
  /** m. */
  readonly batch: number;
  /** d. */
  readonly width: number;
}

const notKernels = new Set([
  'constructor',
  'createMatrix',
  'createTable',
  'createIndices',
  'growTable',
  'release',
  'memory',
  'synchronize',
  'dispose',
  'disposed',
  'name',
  'precision',
]);
const hostBoundary = new Set(['write', 'read', 'writeRows', 'readRows', 'indicesWritten']);
const elementwise = new Set([
  'fill',
  'copy',
  'copyColumns',
  'addDiagonal',
  'scaleRows',
  'axpy',
  'affine',
  'unary',
  'binary',
  'reduce',
  'rowDot',
]);
const rowKernels = new Set([
  'gatherRows',
  'scatterAddRows',
  'scatterRows',
  'sparseTimesRows',
  'gatheredRowDot',
  'exponentiateRanges',
  'combineRanges',
  'updateRanges',
  'updateRows',
]);

export class KernelProfile implements Disposable {
  readonly #backend: Backend;
  readonly #sizes: StepSizes;
  /** The own properties that were replaced; undefined for a kernel of the prototype. */
  readonly #patched = new Map<string, unknown>();
  readonly #groups = new Map<string, { milliseconds: number; calls: number }>();
  #depth = 0;

  /** Begins at once; disposal gives the backend its own kernels back. */
  constructor(backend: Backend, sizes: StepSizes) {
    this.#backend = backend;
    this.#sizes = sizes;
    for (const name of kernelNamesOf(backend)) this.#patch(name);
  }

  /** The most expensive first. */
  groups(): KernelGroup[] {
    return [...this.#groups]
      .map(([group, { milliseconds, calls }]) => ({ group, milliseconds, calls }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }

  reset(): void {
    this.#groups.clear();
  }

  #patch(name: string): void {
    const kernel: unknown = Reflect.get(this.#backend, name);
    if (typeof kernel !== 'function') return;
    this.#patched.set(name, Object.hasOwn(this.#backend, name) ? kernel : undefined);
    Object.assign(this.#backend, {
      [name]: (...operands: unknown[]): unknown => {
        this.#depth++;
        const start = performance.now();
        try {
          return Reflect.apply(kernel, this.#backend, operands);
        } finally {
          this.#depth--;
          if (this.#depth === 0) this.#add(groupOf(name, operands, this.#sizes), performance.now() - start);
        }
      },
    });
  }

  #add(group: string, milliseconds: number): void {
    const sum = this.#groups.get(group);
    if (sum === undefined) {
      this.#groups.set(group, { milliseconds, calls: 1 });
      return;
    }
    sum.milliseconds += milliseconds;
    sum.calls++;
  }

  [Symbol.dispose](): void {
    for (const [name, own] of this.#patched) {
      if (own === undefined) Reflect.deleteProperty(this.#backend, name);
      else Object.assign(this.#backend, { [name]: own });
    }
  }
}

/** Also those of a prototype, and those that only this backend has. */
function kernelNamesOf(backend: Backend): Set<string> {
  const names = new Set<string>();
  for (
    let object: object | null = backend;
    object !== null && object !== Object.prototype;
    object = Reflect.getPrototypeOf(object)
  ) {
    for (const name of Object.getOwnPropertyNames(object)) if (!notKernels.has(name)) names.add(name);
  }
  return names;
}

/** A kernel that this list does not know, such as a new fused one, is a group of its own. */
function groupOf(name: string, operands: readonly unknown[], { batch, width }: StepSizes): string {
  if (rowKernels.has(name)) return operands.some(isRowTable) ? 'rows of the table V' : 'rows of small matrices';
  if (hostBoundary.has(name)) return 'numbers and indices to and from the host';
  if (elementwise.has(name)) return 'elementwise, reductions, copies';
  if (name === 'solve') return 'solving the small system';
  if (name === 'symmetricRank2Update') return 'symmetric updates of rank 2m';
  if (name !== 'gemm') return name;
  const [a, , out, settings] = operands as [Matrix, Matrix, Matrix, GemmSettings];
  const sizes = [out.rows, out.columns, settings.transposeA ? a.rows : a.columns];
  if (hasSizes(sizes, batch, width, width)) return 'products of m·d·d';
  if (hasSizes(sizes, batch, batch, width)) return 'products of m·m·d';
  if (hasSizes(sizes, width, width, width)) return 'products of d·d·d';
  if (Math.min(...sizes) <= 1) return 'products with a vector';
  const isOfRows = sizes.filter((size) => size === width).length === 2;
  return isOfRows ? 'products of c·d·d, c rows of touched classes' : 'products of other shapes';
}

/** In any order. */
function hasSizes(sizes: readonly number[], ...expected: readonly number[]): boolean {
  const ascending = (a: number, b: number): number => a - b;
  return sizes.toSorted(ascending).join(' ') === expected.toSorted(ascending).join(' ');
}
