/**
 * The set of vectors that is searched. Vectors of its own are kept in the order of falling length, so that a search
 * soon meets the blocks that no score of can matter; rows of a table that belongs to somebody else stay where they are.
 */
import { growTable, Workspace, writeRows, type Backend, type RowTable } from '@vastmax/linalg-core';
import { BestList } from './best-list.ts';
import { checkBiases, checkQueries, checkVectors } from './check-vectors.ts';
import { TopKError } from './errors.ts';
import { enlarged, IndexedRows } from './indexed-rows.ts';
import { orderByLength, writeOrdered } from './length-order.ts';
import { directedQuery } from './query.ts';
import { searchByBounds, searchByScan, type Query } from './search.ts';

/** Biases of vectors that are added. */
export interface VectorOptions {
  /** One for each vector, added to its scores; 0 unless given. */
  readonly biases?: ArrayLike<number>;
}

/** Which vectors may be found. */
export interface SearchOptions {
  /** Whether a vector may be among the results of a query (its number, from 0); asked only where its score matters. */
  readonly accept?: (index: number, query: number) => boolean;
  /**
   * How: `bounds` (8-bit products, query by query; a scan where the backend has none), `scan` (products of all queries).
   * The results are the same. Unless given, bounds for up to four queries.
   */
  readonly method?: 'bounds' | 'scan';
}

/** One query for each group of rows, as for rows in several bases: the score is q_g·x + bias + offset_g. */
export interface GroupedQuery {
  /** groups×width, one query a group. */
  readonly queries: ArrayLike<number>;
  /** One for each group. */
  readonly offsets: ArrayLike<number>;
  /** The group of each row; all 0 unless given. */
  readonly groupOf?: ArrayLike<number>;
}

/** The best vectors of each query. */
export interface TopKResult {
  readonly k: number;
  /** m×k, best first, of equal scores the smaller index; −1 where fewer than k are left. */
  readonly indices: Int32Array;
  /** m×k: Σ_j q_j·x_j + bias in f64, summed in the order of j; −Infinity where fewer than k are left. */
  readonly scores: Float64Array;
}

/** Up to so many queries bounds are faster than a product. */
const fewQueries = 4;

/**
 * An index over vectors of its own: copied to the backend, in 8 bits too. O(N·width) time; 5 bytes a number and about 20
 * a vector.
 * @param vectors N×width, row by row; rounded to f32.
 * @throws TopKError `bad-option`, `shape`, `non-finite`.
 */
export async function createTopKIndex(
  backend: Backend,
  width: number,
  vectors: ArrayLike<number>,
  options: VectorOptions = {},
): Promise<TopKIndex> {
  if (!Number.isSafeInteger(width) || width < 1)
    throw new TopKError('bad-option', `createTopKIndex: width must be a whole number from 1 on, got ${width}`);
  const table = backend.createTable(0, width);
  const index = new TopKIndex(table, true);
  try {
    await index.add(vectors, options);
    return index;
  } catch (error) {
    index[Symbol.dispose]();
    throw error;
  }
}

/**
 * An index over the rows of a table, where they are: row r has the index r. The table stays its owner's; call `refresh`
 * with the rows that have changed, and with new ones when it has grown. O(N·width) time, 1 byte a number.
 * @throws TopKError `shape`, `non-finite`.
 */
export async function indexTable(table: RowTable, { biases }: VectorOptions = {}): Promise<TopKIndex> {
  const index = new TopKIndex(table, false);
  try {
    await index.takeRows(biases);
    return index;
  } catch (error) {
    index[Symbol.dispose]();
    throw error;
  }
}

/** Made by {@link createTopKIndex} or {@link indexTable}. Calls run one after another, in the order in which they came. */
export class TopKIndex implements Disposable {
  readonly backend: Backend;
  readonly width: number;
  readonly #rows: IndexedRows;
  readonly #ownsTable: boolean;
  readonly #workspace: Workspace;
  /** The slot of each index; undefined where they are the same. */
  #slots: Int32Array | undefined;
  #size = 0;
  #count = 0;
  #scored = 0;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(table: RowTable, ownsTable: boolean) {
    this.backend = table.backend;
    this.width = table.columns;
    this.#rows = new IndexedRows(table);
    this.#ownsTable = ownsTable;
    this.#workspace = new Workspace(table.backend);
    if (!ownsTable) return;
    this.#slots = new Int32Array(0);
    this.#rows.indices = new Int32Array(0);
  }

  /** How many vectors there are, without the removed. */
  get size(): number {
    return this.#size;
  }

  /** How many scores the last search computed in full, over all its queries: the other vectors were excluded by bounds. */
  get lastScored(): number {
    return this.#scored;
  }

  /**
   * The k vectors with the greatest inner product with each query, exactly.
   * @param queries m×width, row by row.
   * @throws TopKError `bad-option`, `shape`, `non-finite`, `disposed`.
   */
  async search(queries: ArrayLike<number>, k: number, options: SearchOptions = {}): Promise<TopKResult> {
    const values = checkQueries('search', queries, this.width);
    const { width } = this;
    const single = Array.from({ length: values.length / width }, (_, i): Query => {
      const query = values.subarray(i * width, (i + 1) * width);
      return { groups: [directedQuery(query, 0, `search: query ${i}`)], groupOf: undefined };
    });
    return this.#search('search', single, k, options);
  }

  /** As `search` for one query that differs between groups of rows. */
  async searchGrouped(
    { queries, offsets, groupOf }: GroupedQuery,
    k: number,
    options: SearchOptions = {},
  ): Promise<TopKResult> {
    const values = checkQueries('searchGrouped', queries, this.width);
    const { width } = this;
    const count = values.length / width;
    if (offsets.length !== count || count === 0 || (groupOf === undefined && count > 1)) {
      throw new TopKError(
        'shape',
        `searchGrouped: ${count} queries, ${offsets.length} offsets and ${groupOf === undefined ? 'no' : 'the'} groups of the rows; one query and one offset for each group are needed`,
      );
    }
    if (groupOf !== undefined && groupOf.length < this.#rows.count) {
      throw new TopKError(
        'shape',
        `searchGrouped: groups of ${groupOf.length} rows, and there are ${this.#rows.count}; each row needs one`,
      );
    }
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(offsets[i]))
        throw new TopKError('non-finite', `searchGrouped: offset ${i} is ${offsets[i]}, it must be finite`);
    }
    const groups = Array.from({ length: count }, (_, i) =>
      directedQuery(values.subarray(i * width, (i + 1) * width), offsets[i]!, `searchGrouped: query ${i}`),
    );
    return this.#search('searchGrouped', [{ groups, groupOf: count === 1 ? undefined : groupOf }], k, options);
  }

  /**
   * Adds vectors at the end; O(added·width), and a copy of at most 16 MiB.
   * @returns the index of the first.
   * @throws TopKError `bad-option` for an index over somebody's table, `shape`, `non-finite`; nothing is added.
   */
  async add(vectors: ArrayLike<number>, { biases }: VectorOptions = {}): Promise<number> {
    this.#checkOwned('add', 'refresh');
    const values = checkVectors('add', vectors, this.width);
    const count = values.length / this.width;
    checkBiases('add', biases, count);
    const order = orderByLength(values, this.width);
    return this.#turn(async () => {
      const rows = this.#rows;
      const first = this.#count;
      const firstSlot = rows.count;
      growTable(rows.table, firstSlot + count);
      const slots = enlarged(this.#slots ?? new Int32Array(0), first + count);
      const indices = enlarged(rows.indices ?? new Int32Array(0), firstSlot + count);
      for (let i = 0; i < count; i++) {
        indices[firstSlot + i] = first + order[i]!;
        slots[first + order[i]!] = firstSlot + i;
      }
      this.#slots = slots;
      rows.indices = indices;
      writeOrdered(values, order, firstSlot, rows.table);
      await rows.append(count);
      this.#takeBiases(biases, first, count);
      this.#count = first + count;
      this.#size += count;
      return first;
    });
  }

  /**
   * Replaces vectors; O(count·width). A search gets slower as lengths leave their order: make a new index then.
   * @param vectors count×width.
   * @throws TopKError as add, and `index-out-of-range`.
   */
  async update(indices: Int32Array, vectors: ArrayLike<number>, { biases }: VectorOptions = {}): Promise<void> {
    this.#checkOwned('update', 'refresh');
    const values = checkVectors('update', vectors, this.width);
    if (values.length !== indices.length * this.width) {
      throw new TopKError(
        'shape',
        `update: ${values.length / this.width} vectors for ${indices.length} indices; one each is needed`,
      );
    }
    checkBiases('update', biases, indices.length);
    return this.#turn(async () => {
      const slots = this.#slotsOf('update', indices);
      for (const [i, slot] of slots.entries())
        writeRows(values.subarray(i * this.width, (i + 1) * this.width), slot, this.#rows.table);
      await this.#rows.refresh(slots, this.#workspace);
      if (biases === undefined) return;
      for (const [i, slot] of slots.entries()) this.#rows.setBias(slot, biases[i]!, true);
    });
  }

  /**
   * For an index over somebody's table: the rows `indices` have changed, and rows that the table has grown by are taken
   * in. O(changed·width).
   * @throws TopKError `bad-option` for an index over vectors of its own, `index-out-of-range`, `non-finite`.
   */
  async refresh(indices: Int32Array): Promise<void> {
    if (this.#ownsTable)
      throw new TopKError('bad-option', 'refresh: the index has vectors of its own; use update or add');
    return this.#turn(async () => {
      const slots = this.#slotsOf('refresh', indices);
      await this.#rows.refresh(slots, this.#workspace);
      await this.#takeNewRows(undefined);
    });
  }

  /**
   * Takes vectors out of all later results; their memory stays.
   * @throws TopKError `index-out-of-range`; removing a vector again has no effect.
   */
  async remove(indices: Int32Array): Promise<void> {
    return this.#turn(() => {
      for (const slot of this.#slotsOf('remove', indices)) {
        this.#size -= this.#rows.present[slot]!;
        this.#rows.present[slot] = 0;
      }
      return Promise.resolve();
    });
  }

  /** Called once, by {@link indexTable}. */
  async takeRows(biases: ArrayLike<number> | undefined): Promise<void> {
    checkBiases('indexTable', biases, this.#rows.table.rows);
    return this.#turn(() => this.#takeNewRows(biases));
  }

  /** Releases its memory; a table that it was made over stays. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    void this.#last.finally(() => {
      this.#workspace[Symbol.dispose]();
      this.#rows[Symbol.dispose]();
      if (this.#ownsTable) this.#rows.table[Symbol.dispose]();
    });
  }

  async #takeNewRows(biases: ArrayLike<number> | undefined): Promise<void> {
    const first = this.#rows.count;
    const added = this.#rows.table.rows - first;
    if (added === 0) return;
    await this.#rows.append(added);
    this.#count += added;
    this.#size += added;
    this.#takeBiases(biases, first, added);
  }

  #takeBiases(biases: ArrayLike<number> | undefined, first: number, count: number): void {
    const rows = this.#rows;
    if (biases === undefined && rows.biases === undefined) return;
    // 0 for those of vectors that came without.
    for (let i = 0; i < count; i++) rows.setBias(this.#slotOf(first + i), biases?.[i] ?? 0, first > 0);
  }

  #slotOf(index: number): number {
    return this.#slots === undefined ? index : this.#slots[index]!;
  }

  #slotsOf(operation: string, indices: Int32Array): Int32Array {
    for (const index of indices) {
      if (index >= 0 && index < this.#count) continue;
      throw new TopKError(
        'index-out-of-range',
        `${operation}: index ${index} is out of range, there are ${this.#count} vectors (0 to ${this.#count - 1})`,
      );
    }
    return indices.map((index) => this.#slotOf(index));
  }

  #search(operation: string, queries: readonly Query[], k: number, options: SearchOptions): Promise<TopKResult> {
    if (!Number.isSafeInteger(k) || k < 1)
      throw new TopKError('bad-option', `${operation}: k must be a whole number from 1 on, got ${k}`);
    const { accept, method = queries.length <= fewQueries ? 'bounds' : 'scan' } = options;
    return this.#turn(async () => {
      const indices = new Int32Array(queries.length * k);
      const scores = new Float64Array(queries.length * k);
      const searches = queries.map((query, i) => {
        const best = new BestList(k, indices.subarray(i * k, (i + 1) * k), scores.subarray(i * k, (i + 1) * k));
        const ownAccept = accept === undefined ? undefined : (index: number): boolean => accept(index, i);
        return { query, best, accept: ownAccept };
      });
      this.#scored = 0;
      if (method === 'bounds' && this.#rows.isCoded) {
        for (const search of searches) this.#scored += await searchByBounds(this.#rows, this.#workspace, search);
      } else if (searches.length > 0) this.#scored = await searchByScan(this.#rows, this.#workspace, searches);
      return { k, indices, scores };
    });
  }

  #turn<Result>(action: () => Promise<Result>): Promise<Result> {
    if (this.#disposed) return Promise.reject(new TopKError('disposed', 'the index was disposed'));
    const result = this.#last.then(action);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #checkOwned(operation: string, instead: string): void {
    if (this.#ownsTable) return;
    throw new TopKError(
      'bad-option',
      `${operation}: the index is over the rows of a table; change the table and use ${instead}`,
    );
  }
}
