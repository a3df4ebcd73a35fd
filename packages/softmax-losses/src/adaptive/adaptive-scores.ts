/**
 * log p of a range of classes, which may lie in the head and in several tails. Beside the outputs of its classes, a
 * part needs one offset for each example: −log Z of the head; for a tail, the head's output for that tail minus both
 * log Z. Computing log Z of a tail reads all its rows, so the offsets are reused as long as the caller says that hidden
 * is unchanged.
 */
import { affine, binary, copy, gemm, scatterRows, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { ClassTable } from '../class-table/class-table.ts';
import type { BlockedSoftmax } from '../full/blocked-softmax.ts';
import { addTransposed } from '../layer/transpose.ts';
import type { AdaptiveParts } from './adaptive-parts.ts';
import type { AdaptiveTail } from './adaptive-tail.ts';

export class AdaptiveScores {
  readonly #workspace: Workspace;
  readonly #head: ClassTable;
  readonly #headSoftmax: BlockedSoftmax;
  readonly #tails: readonly AdaptiveTail[];
  readonly #parts: AdaptiveParts;
  /** For each tail, whether its offsets belong to the current hidden activations. */
  readonly #hasOffsets: boolean[];

  constructor(
    workspace: Workspace,
    head: ClassTable,
    headSoftmax: BlockedSoftmax,
    tails: readonly AdaptiveTail[],
    parts: AdaptiveParts,
  ) {
    this.#workspace = workspace;
    this.#head = head;
    this.#headSoftmax = headSoftmax;
    this.#tails = tails;
    this.#parts = parts;
    this.#hasOffsets = tails.map(() => false);
  }

  /** @param hidden m×d. @param extended hidden with the head's bias feature appended. @param out m×count. */
  range(hidden: Matrix, extended: Matrix, firstClass: number, out: Matrix, sameHidden: boolean): void {
    const m = hidden.rows;
    const all = this.#matrix('all', out.columns, m);
    if (!sameHidden) {
      this.#hasOffsets.fill(false);
      affine(this.#headSoftmax.logPartition(extended), -1, 0, this.#matrix('head offsets', m, 1));
    }
    for (const [part, { places, rows }] of this.#parts.split(firstClass, out.columns).entries()) {
      if (places.length === 0) continue;
      const outputs = this.#matrix('outputs', rows.length, m);
      const tail = this.#tails[part - 1];
      if (tail === undefined) this.#headOutputs(extended, rows, outputs);
      else tail.outputs(this.#projected(tail, part - 1, hidden, extended), rows, outputs);
      const offsets = this.#matrix(part === 0 ? 'head offsets' : `tail ${part - 1} offsets`, m, 1);
      binary('add', outputs, offsets.resize(1, m), outputs);
      scatterRows(outputs, this.#workspace.indices('adaptive score places', places), all);
    }
    addTransposed(this.#workspace, all, out, 0);
  }

  /** out = the head's outputs for some of its rows, count×m. */
  #headOutputs(extended: Matrix, rows: Int32Array, out: Matrix): void {
    const own = this.#matrix('head rows', rows.length, this.#head.width);
    this.#head.gather(this.#workspace.indices('adaptive score head rows', rows), own);
    gemm(own, extended, out, { transposeB: true });
  }

  /** Projects hidden into the tail; also computes the tail's offsets, m×1, if they are not known yet. */
  #projected(tail: AdaptiveTail, index: number, hidden: Matrix, extended: Matrix): Matrix {
    const m = hidden.rows;
    const projected = tail.project(hidden, 'score projected');
    if (this.#hasOffsets[index] === true) return projected;
    this.#hasOffsets[index] = true;
    const offsets = this.#matrix(`tail ${index} offsets`, m, 1);
    const own = this.#matrix('tail output', 1, m);
    this.#headOutputs(extended, Int32Array.of(this.#parts.shortlist + index), own);
    copy(own, offsets);
    binary('add', offsets, this.#matrix('head offsets', m, 1), offsets);
    binary('subtract', offsets, tail.logPartition(projected), offsets);
    return projected;
  }

  #matrix(name: string, rows: number, columns: number): Matrix {
    return this.#workspace.matrix(`adaptive score ${name}`, rows, columns);
  }
}
