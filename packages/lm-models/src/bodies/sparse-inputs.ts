/**
 * Sparse rows as the entries of a product with a table: the host lists each entry's row, column and weight, three short
 * arrays that are uploaded to the backend, which gathers the table's rows.
 */
import type { SparseEntries } from '@vastmax/autodiff';
import { Workspace, write, type Backend } from '@vastmax/linalg-core';
import type { CsrRows } from '@vastmax/sparse-data';

/** How the values of an input become weights of its embeddings. */
export const poolingNames = ['sum', 'mean', 'unit'] as const;
/**
 * How a row's values v are turned into weights of the table's rows. `sum`: v; `mean`: v/Σ|v|, the mean of the rows if
 * all values are 1; `unit`: v/‖v‖, so that long and short documents have equal weight.
 */
export type Pooling = (typeof poolingNames)[number];

export interface EntryOptions {
  readonly pooling: Pooling;
  /**
   * Probability of dropping an entry; the others are multiplied by 1/(1−rate). `random` is called once per entry.
   */
  readonly dropout?: { readonly rate: number; readonly random: () => number };
}

/** Turns minibatches of sparse rows into entries on a backend; owns the handles and reuses them. */
export class SparseInputs implements Disposable {
  readonly #workspace: Workspace;
  #rows = new Int32Array(256);
  #columns = new Int32Array(256);
  #values = new Float64Array(256);

  constructor(backend: Backend) {
    this.#workspace = new Workspace(backend);
  }

  /** Valid until the next call. O(entries). */
  entries(csr: CsrRows, { pooling, dropout }: EntryOptions): SparseEntries {
    const { rows, offsets, indices, values } = csr;
    this.#makeRoom(offsets[rows]!);
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const start = offsets[row]!;
      const end = offsets[row + 1]!;
      const factor = (1 / rowNorm(pooling, values, start, end)) * (dropout === undefined ? 1 : 1 / (1 - dropout.rate));
      for (let entry = start; entry < end; entry++) {
        if (dropout !== undefined && dropout.random() < dropout.rate) continue;
        this.#rows[count] = row;
        this.#columns[count] = indices[entry]!;
        this.#values[count] = (values === undefined ? 1 : values[entry]!) * factor;
        count++;
      }
    }
    const weighted = values !== undefined || pooling !== 'sum' || dropout !== undefined;
    return {
      rows,
      rowIndices: this.#workspace.indices('rows', this.#rows, count),
      columnIndices: this.#workspace.indices('columns', this.#columns, count),
      values: weighted ? this.#weights(count) : undefined,
    };
  }

  #weights(count: number): NonNullable<SparseEntries['values']> {
    const weights = this.#workspace.matrix('values', count, 1);
    write(this.#values.subarray(0, count), weights);
    return weights;
  }

  #makeRoom(entries: number): void {
    if (this.#rows.length >= entries) return;
    const length = 2 * entries;
    this.#rows = new Int32Array(length);
    this.#columns = new Int32Array(length);
    this.#values = new Float64Array(length);
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
  }
}

/** The divisor of a row's values; 1 for a row of zeros. */
function rowNorm(pooling: Pooling, values: CsrRows['values'], start: number, end: number): number {
  if (pooling === 'sum') return 1;
  let total = 0;
  for (let entry = start; entry < end; entry++) {
    const value = values === undefined ? 1 : values[entry]!;
    total += pooling === 'mean' ? Math.abs(value) : value * value;
  }
  const norm = pooling === 'mean' ? total : Math.sqrt(total);
  return norm > 0 ? norm : 1;
}
