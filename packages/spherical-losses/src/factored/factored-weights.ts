/**
 * The state of the factored layer, W = V·U + 1·ωᵀ with W never stored (arXiv:1606.08061 §4, §5), and the operations
 * that change the representation of W without changing W: rebasing (U, ω are kept as a transform, and U is reset to I),
 * converting rows, materializing. The epoch counts the rebases.
 *
 *     V  rows          D×d row table; row r is expressed in the basis of epoch rowEpochs[r]
 *     U  map           d×d          X = U⁻ᵀ is kept transposed: `inverse` is U⁻¹
 *     ω  shift         1×d
 *     C  centredGram   d×d, WᵀPW = Σ_k (w_k − w̄/D)(w_k − w̄/D)ᵀ with P = I − 11ᵀ/D     w̄  columnSum   1×d, 1ᵀW
 *
 * The papers track Q = WᵀW. C = Q − w̄w̄ᵀ/D has the same information and gives the variance of the outputs without
 * subtracting two nearly equal numbers: with μ = 30σ the Z-loss's gradient in f32 was wrong by 1e-4 from Q and by 7e-7
 * from C.
 */
import {
  addDiagonal,
  affine,
  axpy,
  binary,
  copyColumns,
  fill,
  gatherRows,
  gemm,
  growTable,
  multiplyRows,
  rowsOfBlock,
  scatterRows,
  writeRows,
  type Backend,
  type Indices,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { BackgroundSweep } from './rebase-schedule.ts';
import { StrayRows } from './stray-rows.ts';
import { TransformCache } from './transform-cache.ts';

/** The factor of W in a step of weight decay λ, 1 − ηλ. @throws OutputLayerError `bad-option` unless above 0. */
export function decayFactor({ weightDecay = 0 }: { readonly weightDecay?: number }, learningRate: number): number {
  if (learningRate * weightDecay < 1) return 1 - learningRate * weightDecay;
  throw new OutputLayerError(
    'bad-option',
    `factored step: learningRate ${learningRate} times weightDecay ${weightDecay} must be below 1`,
  );
}

/** V, U, its inverse, ω, the Gram matrix and what else represents W. */
export class FactoredWeights implements Disposable {
  readonly backend: Backend;
  readonly width: number;
  readonly rows: RowTable;
  /** Rebase epoch of each row; 4 bytes a class, on the host. */
  rowEpochs: Int32Array;
  map: Matrix;
  inverse: Matrix;
  readonly centredGram: Matrix;
  readonly shift: Matrix;
  readonly columnSum: Matrix;
  readonly transforms: TransformCache;
  readonly sweep: BackgroundSweep = new BackgroundSweep();
  /** See FactoredOutputLayerOptions. */
  onStabilization: ((phase: 'begin' | 'end') => void) | undefined;
  readonly #workspace: Workspace;
  #changed: Set<number> | undefined;
  readonly #strays: StrayRows = new StrayRows();
  /** U = I and ω = 0: rebasing would change nothing. */
  #isFresh = true;
  #epochs: Int32Array = new Int32Array(0);
  #reserved = 0;
  #classNumbers: Int32Array = new Int32Array(0);
  #spareSquares: [Matrix, Matrix];

  constructor(backend: Backend, classes: number, width: number, workspace: Workspace) {
    this.backend = backend;
    this.width = width;
    this.#workspace = workspace;
    this.rows = backend.createTable(classes, width);
    this.rowEpochs = new Int32Array(classes);
    this.transforms = new TransformCache(backend, width, workspace);
    this.map = backend.createMatrix(width, width);
    this.inverse = backend.createMatrix(width, width);
    this.centredGram = backend.createMatrix(width, width);
    this.shift = backend.createMatrix(1, width);
    this.columnSum = backend.createMatrix(1, width);
    this.#spareSquares = [backend.createMatrix(width, width), backend.createMatrix(width, width)];
    this.resetMap();
  }

  get classes(): number {
    return this.rows.rows;
  }

  /** Whether V is W: no step since the start, or since `materialize`. */
  get isMaterialized(): boolean {
    return this.#isFresh && this.transforms.isEmpty;
  }

  get lagBound(): number {
    return BackgroundSweep.lagBound(this.classes, this.width);
  }

  /** The d×d matrix that the next value of U or U⁻¹ is written to before `swap` makes it current. */
  spare(which: 'map' | 'inverse'): Matrix {
    return this.#spareSquares[which === 'map' ? 0 : 1];
  }

  /** The spare matrix becomes the value, and the old value the spare matrix. */
  swap(which: 'map' | 'inverse'): void {
    const place = which === 'map' ? 0 : 1;
    const old = this[which];
    this[which] = this.#spareSquares[place];
    this.#spareSquares[place] = old;
  }

  /** U = U⁻¹ = I, ω = 0. */
  resetMap(): void {
    for (const matrix of [this.map, this.inverse]) {
      fill(0, matrix);
      addDiagonal(1, matrix);
    }
    fill(0, this.shift);
    this.#isFresh = true;
  }

  /** To be called when a step has changed U or ω. */
  markUpdated(): void {
    this.#isFresh = false;
  }

  /**
   * Keeps (U, ω) as the transform of this epoch and starts the next one at the identity. W does not change. O(d²), a
   * d×d product on average.
   */
  rebase(): void {
    if (this.#isFresh) return;
    this.onStabilization?.('begin');
    this.transforms.append(this.map, this.shift);
    this.sweep.addDebt(this.classes, this.lagBound);
    this.resetMap();
    this.onStabilization?.('end');
  }

  /** Rows of V in the current epoch; converted rows are not stored. */
  gatherCurrent(classes: Int32Array, count: number, indices: Indices, out: Matrix): void {
    gatherRows(this.rows, indices, out);
    if (this.transforms.epoch === 0) return;
    this.#convert(classes, count, out, this.transforms.epoch);
  }

  /** From now on the rows that change are noted, for `takeChanged`. */
  noteChanges(): void {
    this.#changed ??= new Set();
  }

  /** The rows whose stored numbers or epoch have changed since the last call, ascending. */
  takeChanged(): Int32Array {
    const changed = Int32Array.from(this.#changed ?? []).sort();
    this.#changed?.clear();
    return changed;
  }

  /** As when a state was restored. */
  noteAllChanged(): void {
    this.#noteRange(0, this.classes);
  }

  #noteRange(first: number, count: number): void {
    if (this.#changed === undefined) return;
    for (let row = first; row < first + count; row++) this.#changed.add(row);
  }

  /** Rows of V in the current epoch; rows that had to be converted are stored back. `classes` are distinct. */
  refresh(classes: Int32Array, count: number, indices: Indices, out: Matrix): void {
    if (count > this.#reserved) {
      this.transforms.reserve(count);
      this.#reserved = count;
    }
    // A step gets the rows that it is about to change from here.
    if (this.#changed !== undefined) for (let i = 0; i < count; i++) this.#changed.add(classes[i]!);
    gatherRows(this.rows, indices, out);
    if (this.transforms.epoch === 0) return;
    this.onStabilization?.('begin');
    if (this.#convert(classes, count, out, this.transforms.epoch)) {
      scatterRows(out, indices, this.rows);
      this.tagCurrent(classes, count);
    }
    this.onStabilization?.('end');
  }

  /** Marks the rows of `classes` as expressed in the current epoch. */
  tagCurrent(classes: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.rowEpochs[classes[i]!] = this.transforms.epoch;
  }

  /** The part of the background conversion for one step; O(lag bound) rows, independent of D. */
  sweepOnce(): void {
    const { epoch } = this.transforms;
    if (epoch === 0) return;
    const range = this.sweep.next(this.classes, epoch, this.lagBound);
    if (range.count === 0) return;
    this.onStabilization?.('begin');
    this.#convertRange(range.firstRow, range.count, range.target);
    const oldest = this.sweep.visited(range, this.classes);
    if (oldest !== undefined) this.transforms.drop(oldest);
    this.onStabilization?.('end');
  }

  /** W of classes `first` …: V·U + ω in the current epoch. Nothing is stored. */
  denseRows(first: number, count: number, out: Matrix): void {
    const current = this.#workspace.matrix('dense rows', count, this.width);
    const classes = this.#range(first, count);
    this.gatherCurrent(classes, count, this.#workspace.indices('dense classes', classes, count), current);
    gemm(current, this.map, out);
    binary('add', out, this.shift, out);
  }

  /**
   * out = hidden·Wᵀ for classes `first` … with the rows as they are and hidden mapped to their basis instead, so that the
   * cost is that of a product with a stored W: v·U·h + ω·h = v·(U·h) + ω·h, and as mapQueries for older epochs. False,
   * with nothing done, where rows of many epochs are mixed, or more examples than rows.
   * @param hidden m×d with the bias feature.
   * @param out m×count.
   */
  outputs(hidden: Matrix, first: number, out: Matrix): boolean {
    const { rows: m, columns: count } = out;
    if (4 * m > count || !this.#strays.find(this.rowEpochs, first, count, rowsOfBlock(this.rows))) return false;
    const blockRows = rowsOfBlock(this.rows);
    let { epoch } = this.transforms;
    let { queries, offsets } = this.mapped(hidden, epoch);
    for (let done = 0, block = 0; done < count; block++) {
      const size = Math.min(count - done, blockRows - ((first + done) % blockRows));
      const own = this.#strays.epochs[block]!;
      if (own !== epoch) ({ queries, offsets } = this.mapped(hidden, own));
      epoch = own;
      const part = this.#workspace.matrix('outputs of a block', m, size);
      multiplyRows(queries, this.rows, first + done, part, this.#workspace);
      binary('add', part, offsets, part);
      copyColumns(part, 0, out, done, size);
      done += size;
    }
    for (const [stray, columns] of this.#strays.byEpoch()) {
      ({ queries, offsets } = this.mapped(hidden, stray));
      const classes = columns.map((column) => first + column);
      const rows = this.#workspace.matrix('stray rows', classes.length, this.width);
      gatherRows(this.rows, this.#workspace.indices('stray classes', classes), rows);
      const part = this.#workspace.matrix('stray outputs', m, classes.length);
      gemm(queries, rows, part, { transposeB: true });
      binary('add', part, offsets, part);
      const places = Int32Array.from({ length: m * columns.length }, (_, i) => {
        const example = Math.floor(i / columns.length);
        return example * count + columns[i % columns.length]!;
      });
      // Single numbers are rows of one column.
      const indices = this.#workspace.indices('stray places', places);
      scatterRows(part.resize(places.length, 1), indices, out.resize(m * count, 1));
      out.resize(m, count);
    }
    return true;
  }

  /** Hidden in the basis of rows of an epoch: m×d, and what is to be added to each product, m×1; until the next call. */
  mapped(hidden: Matrix, epoch: number): { readonly queries: Matrix; readonly offsets: Matrix } {
    const queries = this.#workspace.matrix('mapped queries', hidden.rows, this.width);
    const offsets = this.#workspace.matrix('mapped offsets', hidden.rows, 1);
    gemm(hidden, this.map, queries, { transposeB: true });
    gemm(hidden, this.shift, offsets, { transposeB: true });
    this.transforms.mapQueries(queries, offsets, epoch, this.transforms.epoch);
    return { queries, offsets };
  }

  /** Converts every row and applies U and ω to it: V = W, U = I, ω = 0. O(D·d²). C and w̄ stay as they are. */
  materialize(rowsPerBlock: number): void {
    this.rebase();
    for (let first = 0; first < this.classes; first += rowsPerBlock) {
      this.#convertRange(first, Math.min(rowsPerBlock, this.classes - first), this.transforms.epoch);
    }
    this.transforms.drop(this.transforms.epoch);
    this.sweep.reset();
  }

  /**
   * Appends rows of W, exactly. O(n·d²), and a copy of 4 bytes per class.
   * @param added n×d, all of them, on the backend.
   * @param before D without them.
   * @param stored the rows that this process stores, row by row: all, or the part of one of many ranks.
   */
  append(added: Matrix, before: number, stored: ArrayLike<number>): void {
    // In a fresh epoch V = W, so no inverse is needed to express the new rows.
    this.rebase();
    const first = this.classes;
    growTable(this.rows, first + stored.length / this.width);
    writeRows(stored, first, this.rows);
    this.#noteRange(first, this.classes - first);
    const rowEpochs = new Int32Array(this.classes);
    rowEpochs.set(this.rowEpochs);
    rowEpochs.fill(this.transforms.epoch, first);
    this.rowEpochs = rowEpochs;
    this.#addToSums(added, before);
  }

  /**
   * C and w̄ of the old and new rows together (T. Chan, G. Golub, R. LeVeque, 1983: combining the sums of two samples).
   */
  #addToSums(added: Matrix, before: number): void {
    const { width } = this;
    const count = added.rows;
    const ones = this.#workspace.matrix('append ones', 1, count);
    const sum = this.#workspace.matrix('append sum', 1, width);
    const mean = this.#workspace.matrix('append mean', 1, width);
    const deviations = this.#workspace.matrix('append deviations', count, width);
    fill(1, ones);
    gemm(ones, added, sum);
    affine(sum, 1 / count, 0, mean);
    binary('subtract', added, mean, deviations);
    gemm(deviations, deviations, this.centredGram, { transposeA: true, beta: 1 });
    // The difference of the two means.
    axpy(-1 / before, this.columnSum, mean);
    gemm(mean, mean, this.centredGram, { transposeA: true, alpha: (before * count) / (before + count), beta: 1 });
    axpy(1, sum, this.columnSum);
  }

  /** W ← factor·W, exactly and at no cost in D: U, ω, w̄ times the factor, U⁻¹ divided by it, C times its square. */
  decay(factor: number): void {
    affine(this.map, factor, 0, this.map);
    affine(this.shift, factor, 0, this.shift);
    affine(this.columnSum, factor, 0, this.columnSum);
    affine(this.inverse, 1 / factor, 0, this.inverse);
    affine(this.centredGram, factor * factor, 0, this.centredGram);
  }

  /** Converts rows first … of the table to an epoch ≤ the current one. */
  #convertRange(first: number, count: number, target: number): void {
    let stale = 0;
    if (this.#classNumbers.length < count) this.#classNumbers = new Int32Array(count);
    for (let row = first; row < first + count; row++) {
      if (this.rowEpochs[row]! < target) this.#classNumbers[stale++] = row;
    }
    if (stale === 0) return;
    const indices = this.#workspace.indices('converted classes', this.#classNumbers, stale);
    const rows = this.#workspace.matrix('converted rows', stale, this.width);
    gatherRows(this.rows, indices, rows);
    this.#convert(this.#classNumbers, stale, rows, target);
    scatterRows(rows, indices, this.rows);
    for (let i = 0; i < stale; i++) this.rowEpochs[this.#classNumbers[i]!] = target;
    if (this.#changed !== undefined) for (let i = 0; i < stale; i++) this.#changed.add(this.#classNumbers[i]!);
  }

  /** True when any of the rows was older than the target. */
  #convert(classes: Int32Array, count: number, rows: Matrix, target: number): boolean {
    if (this.#epochs.length < count) this.#epochs = new Int32Array(Math.ceil(count * 1.5));
    let stale = false;
    for (let i = 0; i < count; i++) {
      const epoch = this.rowEpochs[classes[i]!]!;
      this.#epochs[i] = epoch;
      if (epoch < target) stale = true;
    }
    if (stale) this.transforms.convert(rows, this.#epochs, count, target);
    return stale;
  }

  #range(first: number, count: number): Int32Array {
    if (this.#classNumbers.length < count) this.#classNumbers = new Int32Array(count);
    for (let i = 0; i < count; i++) this.#classNumbers[i] = first + i;
    return this.#classNumbers;
  }

  [Symbol.dispose](): void {
    this.transforms[Symbol.dispose]();
    for (const handle of [
      this.rows,
      this.map,
      this.inverse,
      this.centredGram,
      this.shift,
      this.columnSum,
      ...this.#spareSquares,
    ]) {
      handle[Symbol.dispose]();
    }
  }
}
