/**
 * Gather and scatter between a matrix on the device and rows that may be in one buffer, in several, or on the host. All
 * arithmetic runs on the device. Rows of a host table are uploaded, added to by the same kernel and read back, so that
 * results are bitwise independent of where a table is stored.
 */
import { gatherTableRows, scatterTableRows, type TablePieces } from '@vastmax/linalg-core';
import type { BufferBlock } from '../device/buffer-block.ts';
import { planGather, planGatherPart, planScatter } from '../kernels/rows.ts';
import type { CommandStream } from '../recording/command-stream.ts';
import type { Extent } from '../recording/readback.ts';
import { createUploadedList, type UploadedList } from '../recording/uploaded-list.ts';
import { lowerBound, type RowGroups } from './row-groups.ts';
import type { RowRun } from './device-table.ts';

/** Rows of the host are uploaded in pieces of this many numbers. */
const uploadedNumbers = 2 ** 18;

export class RowMover {
  readonly #stream: CommandStream;

  constructor(stream: CommandStream) {
    this.#stream = stream;
  }

  /** out_i = rows[list_i], out as many rows as the list. @param runs all rows of the source */
  gather(runs: readonly RowRun[], list: UploadedList, columns: number, out: BufferBlock): void {
    const count = list.values.length;
    if (count === 0 || columns === 0) return;
    const [only] = runs;
    if (runs.length === 1 && only !== undefined) {
      const plan = planGather(count, columns);
      this.#stream.do(() => this.#stream.recorder.run(plan, { a: only.block, out }, list));
      return;
    }
    const parted = createUploadedList(new Int32Array(2 * count));
    const firsts = partByRun(runs, list.values, parted.values);
    this.#stream.do(() => {
      for (const [i, { block }] of runs.entries()) {
        const inRun = firsts[i + 1]! - firsts[i]!;
        if (inRun > 0)
          this.#stream.recorder.run(planGatherPart(firsts[i]!, inRun, count, columns), { a: block, out }, parted);
      }
    });
  }

  /**
   * rows[d] += scale·Σ source_i over the rows of d's group, or = the last of them without `scale`.
   * @param runs all rows
   */
  scatter(
    source: BufferBlock,
    groups: RowGroups & { readonly list: UploadedList },
    columns: number,
    scale: number | undefined,
    runs: readonly RowRun[],
  ): void {
    if (groups.count === 0 || columns === 0) return;
    this.#stream.do(() => {
      for (const { block, firstRow, rows } of runs) {
        const first = runs.length === 1 ? 0 : lowerBound(groups, firstRow);
        const count = (runs.length === 1 ? groups.count : lowerBound(groups, firstRow + rows)) - first;
        if (count === 0) continue;
        const range = { first, count, all: groups.count, firstRow, columns };
        this.#stream.recorder.run(
          planScatter(scale === undefined ? range : { ...range, scale }),
          { a: source, out: block },
          groups.list,
        );
      }
    });
  }

  gatherFromHost(table: TablePieces, list: UploadedList, out: BufferBlock): void {
    const length = list.values.length * table.columns;
    this.#stream.do(() => {
      if (this.#stream.recorder.guardWord === undefined || length === 0) {
        this.#upload(table, list.values, out);
        return;
      }
      // An upload is a copy, which a guard does not prevent.
      const { block } = this.#stream.pool.acquire(
        4 * length,
        `gatherRows: ${list.values.length} rows of ${table.columns} of a table on the host`,
      );
      this.#upload(table, list.values, block);
      this.#stream.recorder.runElementwise({ operation: 'copy', length, a: block, out });
      this.#stream.recorder.release(block);
    });
  }

  /** Later work waits until the rows have been read back to the host. */
  scatterAddToHost(source: BufferBlock, groups: RowGroups, scale: number, table: TablePieces): void {
    const { columns } = table;
    const { count, packed } = groups;
    if (count === 0 || columns === 0) return;
    const destinations = packed.subarray(0, count);
    // On the device the touched rows lie one after another.
    const renumbered = Int32Array.from(packed, (value, i) => (i < count ? i : value));
    this.#stream.work.do(() => {
      const { block } = this.#stream.pool.acquire(
        4 * count * columns,
        `scatterAddRows: ${count} rows of ${columns} of a table on the host`,
      );
      this.#upload(table, destinations, block);
      const plan = planScatter({ first: 0, count, all: count, firstRow: 0, columns, scale });
      this.#stream.recorder.run(plan, { a: source, out: block }, createUploadedList(renumbered));
      const back = this.#takeRows({ block, offset: 0, bytes: 4 * count * columns }, destinations, table);
      this.#stream.recorder.release(block);
      return back;
    });
  }

  /** Later work waits until the rows have been read back to the host. */
  scatterToHost(source: BufferBlock, list: UploadedList, table: TablePieces): void {
    const bytes = 4 * list.values.length * table.columns;
    if (bytes > 0) this.#stream.work.do(() => this.#takeRows({ block: source, offset: 0, bytes }, list.values, table));
  }

  #upload(table: TablePieces, rows: Int32Array, out: BufferBlock): void {
    const { columns } = table;
    const perPart = Math.max(1, Math.floor(uploadedNumbers / columns));
    for (let first = 0; first < rows.length; first += perPart) {
      const part = rows.subarray(first, first + perPart);
      this.#stream.recorder.upload(part.length * columns, out, first * columns, (floats, offset) => {
        gatherTableRows(table, part, part.length, floats, offset);
      });
    }
  }

  /**
   * Reads rows and stores them in the table. A failed device leaves the table unchanged; its health reports the
   * failure.
   */
  #takeRows(extent: Extent, rows: Int32Array, table: TablePieces): Promise<void> {
    const length = extent.bytes / 4;
    const word = this.#stream.recorder.guardWord;
    const values = new Float32Array(length + 4);
    const staged = this.#stream.readback.stage(
      word === undefined ? [extent] : [extent, { block: word, offset: 0, bytes: word.bytes }],
    );
    return this.#stream.readback
      .finish(staged, (floats, offset) => values.set(floats, offset))
      .then(
        () => {
          // A word of 1 is the smallest number above 0.
          if (word === undefined || values[length] !== 0) scatterTableRows(values, 0, rows, rows.length, table);
        },
        () => undefined,
      );
  }
}

/**
 * Sorts row numbers by the run that contains them: the first half of `parted` receives them as rows of the run's
 * buffer, the second half their positions.
 * @returns the first index of each run in it, and the end
 */
function partByRun(runs: readonly RowRun[], rows: Int32Array, parted: Int32Array): Int32Array {
  const perRun = runs[0]?.rows ?? 1;
  const firsts = new Int32Array(runs.length + 1);
  for (const row of rows) firsts[Math.floor(row / perRun) + 1]!++;
  for (let run = 0; run < runs.length; run++) firsts[run + 1]! += firsts[run]!;
  const next = firsts.slice();
  for (let position = 0; position < rows.length; position++) {
    const run = Math.floor(rows[position]! / perRun);
    const at = next[run]!++;
    parted[at] = rows[position]! - run * perRun;
    parted[rows.length + at] = position;
  }
  return firsts;
}
