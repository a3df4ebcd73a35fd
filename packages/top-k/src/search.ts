/**
 * Two exact ways to the k best rows. Both compute an upper bound of each product and the exact score only of rows whose
 * bound reaches the k-th best score so far; blocks of rows whose length alone excludes them are left out (‖q‖·‖x‖, Cauchy
 * and Schwarz).
 *
 * By bounds, one query: 8-bit products and the distance of each row from its codes, a quarter of the memory of the rows.
 * By scan, many queries: products of the backend by blocks and the error that f32 can have made.
 *
 * Bounds refer to the direction of the query, q/‖q‖, so that neither huge nor tiny numbers leave the range of f32.
 */
import {
  createHostArray,
  gatherRows,
  multiplyRows,
  quantizedProducts,
  read,
  reduce,
  rowsOfBlock,
  write,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { BestList } from './best-list.ts';
import { rowsPerBlock, type IndexedRows } from './indexed-rows.ts';
import { wholeQuery, type DirectedQuery } from './query.ts';
import { Rescoring } from './rescoring.ts';

export interface Search {
  readonly query: Query;
  readonly best: BestList;
  /** Whether an index may be among the best; all may where there is none. */
  readonly accept: ((index: number) => boolean) | undefined;
}

/** One query, or one for each group of rows. */
export interface Query {
  readonly groups: readonly DirectedQuery[];
  /** The group of each slot; undefined where there is one group. */
  readonly groupOf: ArrayLike<number> | undefined;
}

/** Rows of one call of a kernel at most: their bounds stay in the cache. */
const rowsPerCall = 65_536;
/** Products in memory at a time. */
const productsPerCall = 262_144;
/** Lengths from which on a product of f32 may overflow on its way. */
const hugeLength = 1e37;
/** Roundings of f32 relative to the length of a row. */
const rounding = 2 ** -20;
/** Products below the normal numbers of f32 may be lost. */
const smallestProduct = 2 ** -125;

/** An upper bound of every score of the block. */
function blockBound({ norms, maxBiases, biases }: IndexedRows, block: number, { groups }: Query): number {
  let bound = -Infinity;
  for (const { norm, offset } of groups) {
    let own = norm * norms[block]! * (1 + rounding) + Number.MIN_VALUE;
    if (biases !== undefined) own += maxBiases[block]!;
    bound = Math.max(bound, own + offset);
  }
  return bound;
}

/** Needs codes. @returns how many scores were computed. */
export async function searchByBounds(
  rows: IndexedRows,
  workspace: Workspace,
  { query, best, accept }: Search,
): Promise<number> {
  const { count, norms, biases, present, coded } = rows;
  const { groups, groupOf } = query;
  if (coded === undefined) throw new Error('searchByBounds: the rows have no codes');
  const { codes, factors } = coded;
  const rescoring = new Rescoring(rows, workspace);
  const host = createHostArray(rows.backend, Math.min(count, rowsPerCall));
  const wholes = groups.map((group) => wholeQuery(group, 4 * codes.columns));
  let atOnce = rowsPerBlock;
  for (let first = 0; first < count;) {
    const block = first / rowsPerBlock;
    if (blockBound(rows, block, query) < best.threshold) {
      first += rowsPerBlock;
      continue;
    }
    let end = Math.min(count, first + rowsPerBlock);
    while (end < count && end - first < atOnce && blockBound(rows, end / rowsPerBlock, query) >= best.threshold)
      end = Math.min(count, end + rowsPerBlock);
    atOnce = Math.min(rowsPerCall, 4 * atOnce);
    for (const [number, group] of groups.entries()) {
      if (groupOf !== undefined && !hasGroup(groupOf, number, first, end)) continue;
      const { whole, scale, distance } = wholes[number]!;
      const { norm, offset } = group;
      const codedQuery = workspace.matrix('coded query', 1, whole.length);
      write(whole, codedQuery);
      const out = workspace.matrix('bounds', end - first, 1);
      const slackOf = (slot: number): number =>
        norms[Math.floor(slot / rowsPerBlock)]! * (2 * distance + rounding) + smallestProduct;
      let { threshold } = best;
      if (threshold === -Infinity && groupOf === undefined) {
        // k rows have at least the k-th best of these lower bounds.
        quantizedProducts(codes, factors, first, codedQuery, out, { alpha: scale, beta: -1 });
        await read(out, host);
        const low = new BestList(best.k);
        for (let slot = first; slot < end; slot++) {
          let bound = norm * (host[slot - first]! - slackOf(slot));
          if (biases !== undefined) bound += biases[slot]!;
          if (present[slot] !== 0 && bound > low.threshold && (accept === undefined || accept(rows.indexOf(slot))))
            low.offer(slot, bound + offset);
        }
        ({ threshold } = low);
      }
      quantizedProducts(codes, factors, first, codedQuery, out, { alpha: scale, beta: 1 });
      await read(out, host);
      for (let start = first; start < end; start += rowsPerBlock) {
        const slack = slackOf(start);
        const limit = productLimit(threshold, group, largestBias(rows, start, start + 1)) - slack;
        for (let slot = start, last = Math.min(end, start + rowsPerBlock); slot < last; slot++) {
          const product = host[slot - first]!;
          if (product < limit) continue;
          let bound = norm * (product + slack);
          if (biases !== undefined) bound += biases[slot]!;
          // A bound that is no number excludes nothing.
          if (bound + offset < threshold || present[slot] === 0) continue;
          if (groupOf !== undefined && groupOf[slot] !== number) continue;
          if (accept !== undefined && !accept(rows.indexOf(slot))) continue;
          rescoring.add(slot, group, best);
          if (!rescoring.isFull) continue;
          await rescoring.run();
          threshold = Math.max(threshold, best.threshold);
        }
      }
      await rescoring.run();
    }
    first = end;
  }
  return rescoring.scored;
}

/**
 * Most rows are excluded by one comparison: a product below this cannot reach the threshold. The margin is more than the
 * roundings. NaN for a query of zeros whose score is the threshold excludes nothing.
 * @param bias none of the rows has a greater one.
 */
function productLimit(threshold: number, { norm, offset }: DirectedQuery, bias: number): number {
  return (threshold - bias - offset - 1e-9 * (Math.abs(threshold) + Math.abs(bias) + Math.abs(offset))) / norm;
}

/** Of the blocks of the slots from `first` to `end − 1`; 0 where there are no biases. */
function largestBias({ biases, maxBiases }: IndexedRows, first: number, end: number): number {
  if (biases === undefined) return 0;
  let largest = -Infinity;
  for (let block = Math.floor(first / rowsPerBlock); block * rowsPerBlock < end; block++)
    largest = Math.max(largest, maxBiases[block]!);
  return largest;
}

function hasGroup(groupOf: ArrayLike<number>, group: number, first: number, end: number): boolean {
  for (let slot = first; slot < end; slot++) if (groupOf[slot] === group) return true;
  return false;
}

/** @returns how many scores were computed. */
export async function searchByScan(
  rows: IndexedRows,
  workspace: Workspace,
  searches: readonly Search[],
): Promise<number> {
  const { count, width } = rows;
  const scans = searches.flatMap((search) =>
    search.query.groups.map((group, number) => ({ ...search, group, number })),
  );
  const directions = workspace.matrix('directions', scans.length, width);
  const values = new Float64Array(scans.length * width);
  for (const [i, { group }] of scans.entries()) values.set(group.direction, i * width);
  write(values, directions);
  const scan = new BlockScan(rows, workspace, directions, scans);
  const rowsAtOnce = rowsPerProduct(rows, scans.length);
  for (let first = 0; first < count;) {
    if (searches.every(({ query, best }) => blockBound(rows, first / rowsPerBlock, query) < best.threshold)) {
      first += rowsPerBlock;
      continue;
    }
    // The first scores make thresholds for all that follow.
    const end = Math.min(count, first === 0 ? rowsPerBlock : (Math.floor(first / rowsAtOnce) + 1) * rowsAtOnce);
    await scan.visit(first, end);
    first = end;
  }
  return scan.scored;
}

/** A power of two, so that rows can be used where they are. */
function rowsPerProduct({ table }: IndexedRows, queries: number): number {
  const most = Math.min(rowsOfBlock(table), productsPerCall / queries);
  return Math.max(rowsPerBlock, 2 ** Math.floor(Math.log2(most)));
}

interface Scan extends Search {
  readonly group: DirectedQuery;
  /** Of the group. */
  readonly number: number;
}

/** Products of all queries with a block of rows, and the rows among them that may be among the best. */
class BlockScan {
  readonly #rows: IndexedRows;
  readonly #workspace: Workspace;
  readonly #directions: Matrix;
  readonly #scans: readonly Scan[];
  readonly #rescoring: Rescoring;
  readonly #maxima: FloatArray;
  #products: FloatArray = new Float32Array(0);
  readonly #candidates: Int32Array;

  constructor(rows: IndexedRows, workspace: Workspace, directions: Matrix, scans: readonly Scan[]) {
    this.#rows = rows;
    this.#workspace = workspace;
    this.#directions = directions;
    this.#scans = scans;
    this.#rescoring = new Rescoring(rows, workspace);
    this.#maxima = createHostArray(rows.backend, scans.length);
    this.#candidates = new Int32Array(scans.length);
  }

  get scored(): number {
    return this.#rescoring.scored;
  }

  async visit(first: number, end: number): Promise<void> {
    const { norms } = this.#rows;
    const workspace = this.#workspace;
    const scans = this.#scans;
    let length = 0;
    for (let block = first / rowsPerBlock; block * rowsPerBlock < end; block++)
      length = Math.max(length, norms[block]!);
    const isHuge = length > hugeLength;
    const { width } = this.#rows;
    const slack = length * ((width + 4) * 2 ** -24 + rounding) + width * smallestProduct;
    const columns = end - first;
    const products = workspace.matrix('products', scans.length, columns);
    multiplyRows(this.#directions, this.#rows.table, first, products, workspace);
    const maxima = workspace.matrix('maxima', scans.length, 1);
    reduce('maximum', products, maxima);
    await read(maxima, this.#maxima);
    let count = 0;
    for (const [i, scan] of scans.entries()) {
      const reach = this.#reach(scan, this.#maxima[i]! + slack, first, end);
      if (isHuge || !(reach < scan.best.threshold)) this.#candidates[count++] = i;
    }
    if (count === 0) return;
    const list = this.#candidates.subarray(0, count);
    const found = workspace.matrix('candidates', count, columns);
    gatherRows(products, workspace.indices('candidate queries', list), found);
    if (this.#products.length < count * columns) this.#products = createHostArray(this.#rows.backend, count * columns);
    await read(found, this.#products);
    for (const [i, number] of list.entries()) {
      const values = this.#products.subarray(i * columns, (i + 1) * columns);
      await this.#select(scans[number]!, values, first, isHuge ? Infinity : slack);
    }
    await this.#rescoring.run();
  }

  /** The best score that a product of the block can stand for. */
  #reach({ group: { norm, offset } }: Scan, product: number, first: number, end: number): number {
    return norm * product + largestBias(this.#rows, first, end) + offset;
  }

  async #select(
    { group, number, query: { groupOf }, best, accept }: Scan,
    products: FloatArray,
    first: number,
    slack: number,
  ): Promise<void> {
    const rows = this.#rows;
    const { biases, present } = rows;
    const { norm, offset } = group;
    const rescoring = this.#rescoring;
    const isMissing = (slot: number): boolean =>
      present[slot] === 0 ||
      (groupOf !== undefined && groupOf[slot] !== number) ||
      (accept !== undefined && !accept(rows.indexOf(slot)));
    const score = (slot: number, product: number): number => {
      const sum = norm * product;
      return (biases === undefined ? sum : sum + biases[slot]!) + offset;
    };
    let { threshold } = best;
    if (threshold === -Infinity && slack < Infinity && groupOf === undefined) {
      // k rows have at least these scores.
      const low = new BestList(best.k);
      for (let i = 0; i < products.length; i++) {
        const bound = score(first + i, products[i]! - slack);
        if (bound > low.threshold && !isMissing(first + i)) low.offer(i, bound);
      }
      ({ threshold } = low);
    }
    const bias = largestBias(rows, first, first + products.length);
    const limit = productLimit(threshold, group, bias) - slack;
    for (let i = 0; i < products.length; i++) {
      if (products[i]! < limit) continue;
      if (score(first + i, products[i]! + slack) < threshold || isMissing(first + i)) continue;
      rescoring.add(first + i, group, best);
      if (!rescoring.isFull) continue;
      await rescoring.run();
      threshold = Math.max(threshold, best.threshold);
    }
  }
}
