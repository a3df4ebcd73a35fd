/**
 * Softmax over ranges of rows of a table, such as the children of a node of a tree: its numerators, the weighted sums of
 * the rows, and their update. Range i is the rows from starts_i to starts_i + n − 1, as far as the table has them, for
 * the n columns of the small matrix with a number for each row of each range. A backend may use the rows where they
 * are; where it has no kernels for it, the ranges become lists of rows.
 */
import { isMatrix, type Indices, type Matrix, type RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import { exponentiateRows } from './exponentiate-rows.ts';
import { gatheredRowDot } from './gathered-row-dot.ts';
import { fill, scatterRows, type ScatterOptions } from './operations.ts';
import { sparseTimesRows } from './sparse-product.ts';
import {
  checkAlive,
  checkFinite,
  checkIndices,
  checkNotAliased,
  checkOperand,
  checkShape,
  type Workspace,
} from './storage.ts';

/** What the rows of the ranges are multiplied by: row sourceIndices_i of `source` for range i. */
export interface RangeSource {
  readonly source: Matrix;
  readonly sourceIndices: Indices;
}

/**
 * out_ij = exp(o_ij − max_j o_ij) for o_ij = table[starts_i + j] · source[sourceIndices_i], and 0 where the table has no
 * row starts_i + j. O(R·n·columns) for R ranges.
 * @param out R×n.
 * @param maxima R×1; receives max_j o_ij.
 * @param sums R×1; receives Σ_j out_ij.
 * @param workspace for scratch, where the backend has no kernel for this.
 * @throws LinalgError `shape` when counts or widths differ, `index-out-of-range` for a start beyond the table,
 * `aliasing`.
 */
export function exponentiateRanges(
  table: RowTable,
  starts: Indices,
  { source, sourceIndices }: RangeSource,
  out: Matrix,
  maxima: Matrix,
  sums: Matrix,
  workspace: Workspace,
): void {
  const operation = 'exponentiateRanges';
  const { backend, columns: n } = out;
  const { count } = starts;
  checkAlive(operation, 'out', out);
  checkTable(operation, table, starts, out);
  checkSource(operation, { source, sourceIndices }, count, table.columns, out);
  checkShape(operation, 'out', out, count, n);
  for (const [role, column] of [
    ['maxima', maxima],
    ['sums', sums],
  ] as const) {
    checkOperand(operation, role, column, backend);
    checkNotAliased(operation, role, column, out);
    checkShape(operation, role, column, count, 1);
  }
  if (backend.exponentiateRanges?.(table, starts, source, sourceIndices, out, maxima, sums) === true) return;
  const lists = listsOf(workspace);
  lists.build(starts, n, table.rows, sourceIndices);
  gatheredRowDot(
    table,
    lists.rows(workspace),
    source,
    lists.sources(workspace),
    out.resize(count * n, 1),
    (rows, columns, which) => workspace.matrix(`ranges ${which}`, rows, columns),
  );
  lists.clearBeyond(workspace, out);
  exponentiateRows(out.resize(count, n), maxima, sums);
}

/**
 * out_i = Σ_j factors_ij·table[starts_i + j]. O(R·n·columns).
 * @param factors R×n; 0 where the table has no row starts_i + j.
 * @param out R×columns.
 * @param workspace for scratch, where the backend has no kernel for this.
 * @throws LinalgError as {@link exponentiateRanges}.
 */
export function combineRanges(
  table: RowTable,
  starts: Indices,
  factors: Matrix,
  out: Matrix,
  workspace: Workspace,
): void {
  const operation = 'combineRanges';
  const { backend } = out;
  const { count } = starts;
  const { columns: n } = factors;
  checkAlive(operation, 'out', out);
  checkTable(operation, table, starts, out);
  checkOperand(operation, 'factors', factors, backend);
  checkNotAliased(operation, 'factors', factors, out);
  checkShape(operation, 'factors', factors, count, n);
  checkShape(operation, 'out', out, count, table.columns);
  if (backend.combineRanges?.(table, starts, factors, out) === true) return;
  const lists = listsOf(workspace);
  lists.build(starts, n, table.rows, undefined);
  fill(0, out);
  const entries = {
    rowIndices: lists.sources(workspace),
    columnIndices: lists.rows(workspace),
    values: factors.resize(count * n, 1),
  };
  sparseTimesRows(entries, table, out, (rows, columns) => workspace.matrix('ranges a', rows, columns));
  factors.resize(count, n);
}

/**
 * out[starts_i + j] += scale·factors_ij·source[sourceIndices_i], range after range. O(R·n·columns).
 * @param starts ascending; two ranges are the same or have no row in common.
 * @param factors R×n; 0 where `out` has no row starts_i + j.
 * @param workspace for scratch, where the backend has no kernel for this.
 * @throws LinalgError as {@link exponentiateRanges}, and `bad-option` for ranges that are in another order or overlap.
 */
export function updateRanges(
  factors: Matrix,
  { source, sourceIndices }: RangeSource,
  starts: Indices,
  out: RowTable | Matrix,
  workspace: Workspace,
  { scale = 1 }: ScatterOptions = {},
): void {
  const operation = 'updateRanges';
  const { backend } = out;
  const { count } = starts;
  const { columns: n } = factors;
  checkAlive(operation, 'out', out);
  checkTable(operation, out, starts, out);
  checkSource(operation, { source, sourceIndices }, count, out.columns, out);
  checkOperand(operation, 'factors', factors, backend);
  checkNotAliased(operation, 'factors', factors, out);
  checkShape(operation, 'factors', factors, count, n);
  checkFinite(operation, 'scale', scale);
  checkDisjoint(operation, starts, n);
  if (backend.updateRanges?.(factors, source, sourceIndices, starts, scale, out) === true) return;
  const lists = listsOf(workspace);
  lists.build(starts, n, out.rows, sourceIndices);
  const entries = {
    rowIndices: lists.rows(workspace),
    columnIndices: lists.sources(workspace),
    values: factors.resize(count * n, 1),
  };
  sparseTimesRows(entries, source, out, (rows, columns) => workspace.matrix('ranges a', rows, columns), { scale });
  factors.resize(count, n);
}

function checkTable(operation: string, table: RowTable | Matrix, starts: Indices, out: RowTable | Matrix): void {
  checkOperand(operation, 'table', table, out.backend);
  checkOperand(operation, 'starts', starts, out.backend);
  checkIndices(operation, starts, table.rows, isMatrix(table) ? 'out' : 'the table');
}

function checkSource(
  operation: string,
  { source, sourceIndices }: RangeSource,
  count: number,
  columns: number,
  out: RowTable | Matrix,
): void {
  checkOperand(operation, 'source', source, out.backend);
  checkOperand(operation, 'sourceIndices', sourceIndices, out.backend);
  checkNotAliased(operation, 'source', source, out);
  checkIndices(operation, sourceIndices, source.rows, 'the source');
  if (sourceIndices.count !== count) {
    throw new LinalgError(
      'shape',
      `${operation}: ${sourceIndices.count} source indices for ${count} ranges; one each for every range`,
    );
  }
  if (source.columns !== columns) {
    throw new LinalgError(
      'shape',
      `${operation}: source has ${source.columns} columns, the table ${columns}; they must be equal`,
    );
  }
}

function checkDisjoint(operation: string, { values, count }: Indices, n: number): void {
  for (let i = 1; i < count; i++) {
    const [before, start] = [values[i - 1]!, values[i]!];
    if (start === before || start >= before + n) continue;
    throw new LinalgError(
      'bad-option',
      `${operation}: range ${i} starts at row ${start}, the one before at ${before}, of ${n} rows each; ranges must ascend, and be the same or have no row in common`,
    );
  }
}

/** The row and the source index of each number of R×n, row by row. */
class RangeLists {
  #rows: Int32Array = new Int32Array(0);
  #sources: Int32Array = new Int32Array(0);
  #beyond: Int32Array = new Int32Array(0);
  #count = 0;
  #countBeyond = 0;

  /** @param sourceIndices those of the ranges; undefined for the numbers of the ranges. */
  build(starts: Indices, n: number, rows: number, sourceIndices: Indices | undefined): void {
    const count = starts.count * n;
    if (this.#rows.length < count) {
      const capacity = Math.ceil(count * 1.5);
      this.#rows = new Int32Array(capacity);
      this.#sources = new Int32Array(capacity);
      this.#beyond = new Int32Array(capacity);
    }
    this.#count = count;
    this.#countBeyond = 0;
    for (let range = 0, i = 0; range < starts.count; range++) {
      const start = starts.values[range]!;
      const source = sourceIndices === undefined ? range : sourceIndices.values[range]!;
      for (let row = start; row < start + n; row++, i++) {
        // A row that is not there stands for a number that is 0: any other row will do.
        if (row >= rows) this.#beyond[this.#countBeyond++] = i;
        this.#rows[i] = Math.min(row, rows - 1);
        this.#sources[i] = source;
      }
    }
  }

  rows(workspace: Workspace): Indices {
    return workspace.indices('ranges rows', this.#rows, this.#count);
  }

  sources(workspace: Workspace): Indices {
    return workspace.indices('ranges sources', this.#sources, this.#count);
  }

  /** Replaces the numbers of `out`, (R·n)×1, that belong to no row by −∞. */
  clearBeyond(workspace: Workspace, out: Matrix): void {
    // Capacity for all that there can be, so that no later call allocates.
    const infinities = workspace.matrix('ranges beyond', this.#count, 1).resize(this.#countBeyond, 1);
    workspace.indices('ranges beyond', this.#beyond, this.#count);
    if (this.#countBeyond === 0) return;
    fill(-Infinity, infinities);
    scatterRows(infinities, workspace.indices('ranges beyond', this.#beyond, this.#countBeyond), out);
  }
}

const listsByWorkspace = new WeakMap<Workspace, RangeLists>();

function listsOf(workspace: Workspace): RangeLists {
  let lists = listsByWorkspace.get(workspace);
  if (lists === undefined) listsByWorkspace.set(workspace, (lists = new RangeLists()));
  return lists;
}
