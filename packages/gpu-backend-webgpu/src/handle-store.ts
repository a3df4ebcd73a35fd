/** The handles of one backend: their storage, its allocation and release, and the count of live handles. */
import {
  Indices,
  isMatrix,
  isRowTable,
  LinalgError,
  Matrix,
  RowTable,
  TablePieces,
  type Backend,
  type MemoryReport,
} from '@vastmax/linalg-core';
import type { BufferBlock } from './device/buffer-block.ts';
import type { CommandStream } from './recording/command-stream.ts';
import { createUploadedList, type UploadedList } from './recording/uploaded-list.ts';
import { DeviceTable } from './tables/device-table.ts';
import { groupRows, type RowGroups } from './tables/row-groups.ts';

/** Where tables are kept: on the device, in host memory, or on the device up to 2 GiB each (`auto`). */
export type TablePlacement = 'auto' | 'device' | 'host';

/** Larger tables are kept in host memory unless the device is requested: WebGPU does not report a device's memory. */
const maxAutomaticBytes = 2 ** 31;

interface MatrixStorage {
  block: BufferBlock | undefined;
}

/** Values derived from an index list: computed when first needed, dropped when the indices change. */
interface IndexStorage {
  rows: UploadedList | undefined;
  groups: (RowGroups & { readonly list: UploadedList }) | undefined;
}

export interface HostTable {
  readonly kind: 'host';
  readonly pieces: TablePieces;
}

export interface HandleStoreOptions {
  readonly tables: TablePlacement;
  /** The largest buffer that a matrix or a piece of a table may have; not more than the device can bind. */
  readonly maxBlockBytes: number;
}

export class HandleStore {
  readonly #live = { matrices: 0, tables: 0, indices: 0, bytes: 0 };
  readonly #stream: CommandStream;
  readonly #options: HandleStoreOptions;

  constructor(stream: CommandStream, options: HandleStoreOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  createMatrix(backend: Backend, rows: number, columns: number): Matrix {
    const storage: MatrixStorage = { block: undefined };
    const matrix = new Matrix(backend, rows, columns, storage);
    const { block, fresh } = this.#stream.pool.acquire(
      4 * matrix.capacity,
      `createMatrix: ${rows}×${columns}`,
      this.#options.maxBlockBytes,
    );
    storage.block = block;
    if (!fresh) this.#stream.do(() => this.#stream.recorder.clear(block, 0, 4 * matrix.capacity));
    this.#add('matrices', matrix);
    return matrix;
  }

  /** A matrix in an application's buffer. */
  adoptMatrix(backend: Backend, rows: number, columns: number, block: BufferBlock): Matrix {
    const matrix = new Matrix(backend, rows, columns, { block } satisfies MatrixStorage);
    this.#add('matrices', matrix);
    return matrix;
  }

  createTable(backend: Backend, rows: number, columns: number): RowTable {
    const { tables, maxBlockBytes } = this.#options;
    const onDevice = tables === 'device' || (tables === 'auto' && 4 * rows * columns <= maxAutomaticBytes);
    const storage: DeviceTable | HostTable = onDevice
      ? new DeviceTable(columns, maxBlockBytes, this.#stream.pool)
      : { kind: 'host', pieces: new TablePieces(columns, 'f32') };
    const table = new RowTable(backend, rows, columns, storage);
    this.#ensureSpace(storage, 0, rows);
    this.#add('tables', table);
    return table;
  }

  growTable(table: RowTable, rows: number): void {
    this.#ensureSpace(tableOf(table), table.rows, rows);
    this.#live.bytes += 4 * (rows - table.rows) * table.columns;
  }

  createIndices(backend: Backend, capacity: number): Indices {
    const indices = new Indices(backend, capacity, { rows: undefined, groups: undefined } satisfies IndexStorage);
    this.#add('indices', indices);
    return indices;
  }

  release(handle: Matrix | RowTable | Indices): void {
    const kind = isMatrix(handle) ? 'matrices' : isRowTable(handle) ? 'tables' : 'indices';
    this.#live[kind]--;
    this.#live.bytes -= bytesOf(handle);
    if (isMatrix(handle)) {
      const block = blockOf(handle);
      this.#stream.do(() => {
        if (block.external) this.#stream.recorder.forget(block);
        else this.#stream.recorder.release(block);
      });
    } else if (isRowTable(handle)) {
      const storage = tableOf(handle);
      this.#stream.do(() => {
        if (storage.kind === 'host') storage.pieces.pieces.length = 0;
        else for (const block of storage.blocks.splice(0)) this.#stream.recorder.release(block);
      });
    } else {
      indicesChanged(handle);
    }
  }

  memory(): MemoryReport {
    return { ...this.#live };
  }

  #ensureSpace(storage: DeviceTable | HostTable, used: number, rows: number): void {
    if (storage.kind === 'host') {
      storage.pieces.grow(rows);
      return;
    }
    const record = storage.grow(used, rows);
    this.#stream.do(() => record(this.#stream.recorder));
  }

  #add(kind: 'matrices' | 'tables' | 'indices', handle: Matrix | RowTable | Indices): void {
    this.#live[kind]++;
    this.#live.bytes += bytesOf(handle);
  }
}

export function blockOf(matrix: Matrix): BufferBlock {
  const { block } = matrix.storage as MatrixStorage;
  if (block === undefined) throw new LinalgError('disposed', 'webgpu: the matrix has no buffer');
  return block;
}

export function tableOf(table: RowTable): DeviceTable | HostTable {
  return table.storage as DeviceTable | HostTable;
}

/** A copy of the row numbers as of now. */
export function rowListOf(indices: Indices): UploadedList {
  const storage = indices.storage as IndexStorage;
  storage.rows ??= createUploadedList(indices.values.slice(0, indices.count));
  return storage.rows;
}

/** The row numbers grouped by row; O(count), computed once for all scatters that use them. */
export function rowGroupsOf(indices: Indices): RowGroups & { readonly list: UploadedList } {
  const storage = indices.storage as IndexStorage;
  if (storage.groups === undefined) {
    const groups = groupRows(rowListOf(indices).values);
    storage.groups = { ...groups, list: createUploadedList(groups.packed) };
  }
  return storage.groups;
}

export function indicesChanged(indices: Indices): void {
  const storage = indices.storage as IndexStorage;
  storage.rows = undefined;
  storage.groups = undefined;
}

function bytesOf(handle: Matrix | RowTable | Indices): number {
  return isRowTable(handle) ? 4 * handle.rows * handle.columns : 4 * handle.capacity;
}
