/**
 * The rows of a table in device buffers of equal numbers of rows, each as large as can be bound (128 MiB by default);
 * the last one is as large as needed. Growing copies at most the last buffer, and doubles it, so that appending single
 * rows is cheap.
 */
import { LinalgError } from '@vastmax/linalg-core';
import type { BufferBlock } from '../device/buffer-block.ts';
import type { BufferPool } from '../device/buffer-pool.ts';
import type { CommandRecorder } from '../recording/command-recorder.ts';
import type { Extent } from '../recording/readback.ts';

/** More than any device has: rejected before thousands of buffers are created. */
const maxBytes = 2 ** 38;
/** Row numbers are 32-bit. */
const maxRows = 2 ** 31 - 1;

/** Rows `firstRow` … of a table, which lie in one block from `blockRow` on. */
export interface RowRun {
  readonly block: BufferBlock;
  readonly blockRow: number;
  readonly firstRow: number;
  readonly rows: number;
}

export class DeviceTable {
  readonly kind = 'device';
  readonly columns: number;
  /** Of every block but the last, which may have fewer. */
  readonly rowsPerBlock: number;
  readonly blocks: BufferBlock[] = [];
  readonly #pool: BufferPool;

  /** @throws LinalgError `out-of-memory` when not even one row fits */
  constructor(columns: number, maxBlockBytes: number, pool: BufferPool) {
    this.columns = columns;
    this.#pool = pool;
    this.rowsPerBlock = columns === 0 ? maxRows : Math.floor(maxBlockBytes / (4 * columns));
    if (this.rowsPerBlock === 0) {
      throw new LinalgError(
        'out-of-memory',
        `a table row of ${columns} columns is ${4 * columns} bytes, a buffer here may have ${maxBlockBytes}`,
      );
    }
  }

  get #capacity(): number {
    const last = this.blocks.at(-1);
    return last === undefined || this.columns === 0
      ? 0
      : (this.blocks.length - 1) * this.rowsPerBlock + this.#rowsOf(last);
  }

  /**
   * Ensures capacity for `rows` rows in all, of which `used` are filled; the others become zero when the returned
   * commands have been recorded.
   * @throws LinalgError `out-of-memory`, with the existing rows unchanged
   */
  grow(used: number, rows: number): (recorder: CommandRecorder) => void {
    if (rows > maxRows)
      throw new LinalgError('out-of-memory', `a table of ${rows} rows: at most ${maxRows} rows can be addressed`);
    if (4 * rows * this.columns > maxBytes) {
      throw new LinalgError(
        'out-of-memory',
        `a table of ${rows}×${this.columns} is ${4 * rows * this.columns} bytes; at most ${maxBytes} are tried`,
      );
    }
    if (this.columns === 0 || rows <= this.#capacity) return () => undefined;
    const rowBytes = 4 * this.columns;
    const last = this.blocks.at(-1);
    const replaced = last !== undefined && this.#rowsOf(last) < this.rowsPerBlock ? last : undefined;
    const first = this.blocks.length - (replaced === undefined ? 0 : 1);
    const added: { readonly block: BufferBlock; readonly fresh: boolean }[] = [];
    try {
      for (let index = first; index * this.rowsPerBlock < rows; index++) {
        const needed = Math.min(this.rowsPerBlock, rows - index * this.rowsPerBlock);
        const doubled =
          index === first && replaced !== undefined ? Math.min(this.rowsPerBlock, 2 * this.#rowsOf(replaced)) : 0;
        added.push(
          this.#pool.acquire(rowBytes * Math.max(needed, doubled), `a piece of a ${rows}×${this.columns} table`),
        );
      }
    } catch (error) {
      for (const { block } of added) this.#pool.release(block);
      throw error;
    }
    this.blocks.splice(first, this.blocks.length - first, ...added.map(({ block }) => block));
    const kept = replaced === undefined ? 0 : rowBytes * (used - first * this.rowsPerBlock);
    return (recorder) => {
      for (const [i, { block, fresh }] of added.entries()) {
        const from = i === 0 ? kept : 0;
        if (!fresh) recorder.clear(block, from, block.bytes - from);
      }
      if (replaced === undefined) return;
      recorder.copy(replaced, 0, added[0]!.block, 0, kept);
      recorder.release(replaced);
    };
  }

  /** The ranges of blocks that hold rows `firstRow` …, split at the ends of blocks. */
  runs(firstRow: number, count: number): readonly RowRun[] {
    const runs: RowRun[] = [];
    if (this.columns === 0) return runs;
    for (let row = firstRow; row < firstRow + count;) {
      const index = Math.floor(row / this.rowsPerBlock);
      const blockRow = row - index * this.rowsPerBlock;
      const rows = Math.min(this.rowsPerBlock - blockRow, firstRow + count - row);
      runs.push({ block: this.blocks[index]!, blockRow, firstRow: row, rows });
      row += rows;
    }
    return runs;
  }

  extents(firstRow: number, count: number): readonly Extent[] {
    const rowBytes = 4 * this.columns;
    return this.runs(firstRow, count).map(({ block, blockRow, rows }) => ({
      block,
      offset: rowBytes * blockRow,
      bytes: rowBytes * rows,
    }));
  }

  #rowsOf({ bytes }: BufferBlock): number {
    return Math.min(this.rowsPerBlock, Math.floor(bytes / (4 * this.columns)));
  }
}
