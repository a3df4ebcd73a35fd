/**
 * The kernels of backend.ts as dispatches: this file only turns handles into buffers and operations into plans. A call
 * records commands and returns; they run in order when the recorder submits them.
 */
import {
  backendBrand,
  isMatrix,
  LinalgError,
  readTableRows,
  writeTableRows,
  type Backend,
  type BinaryOperation,
  type FloatArray,
  type GemmSettings,
  type Indices,
  type Matrix,
  type MemoryReport,
  type RankUpdateSettings,
  type ReduceOperation,
  type RowTable,
  type UnaryOperation,
} from '@vastmax/linalg-core';
import { createCounters, type WebGpuCounters } from './counters.ts';
import { createBlock, type BufferBlock } from './device/buffer-block.ts';
import type { FoundDevice } from './device/find-device.ts';
import { planGemm } from './gemm/gemm-dispatch.ts';
import {
  blockOf,
  HandleStore,
  indicesChanged,
  rowGroupsOf,
  rowListOf,
  tableOf,
  type HandleStoreOptions,
} from './handle-store.ts';
import { planAddDiagonal, planCopyColumns, planMirrorAdd } from './kernels/matrix-parts.ts';
import { planReduceColumns, planReduceRows } from './kernels/reduce.ts';
import { CommandStream, type StreamOptions } from './recording/command-stream.ts';
import { planSolve } from './solve/solve-dispatch.ts';
import type { RowRun } from './tables/device-table.ts';
import { RowMover } from './tables/move-rows.ts';

/** A Backend, with what is specific to WebGPU. */
export interface WebGpuBackend extends Backend {
  /** Counts since the backend's creation; compare copies. */
  readonly counters: Readonly<WebGpuCounters>;
  readonly device: GPUDevice;
}

export interface BackendSettings extends StreamOptions, HandleStoreOptions {}

export function createBackendOn(found: FoundDevice, settings: BackendSettings): WebGpuBackend {
  return new DeviceBackend(found, settings);
}

/** What interop needs in addition. */
export interface DeviceSharing extends WebGpuBackend {
  submit(): void;
  /** @throws LinalgError `disposed`, `device-lost`, `out-of-memory` */
  checkUsable(operation: string): void;
  /** True while operations wait for a host table: they cannot be submitted yet. */
  readonly blocked: boolean;
  /** A matrix over part of an application's buffer. */
  adopt(buffer: GPUBuffer, offset: number, bytes: number, rows: number, columns: number): Matrix;
}

/** True for a backend of this copy of the package. */
export function isDeviceSharing(backend: Backend): backend is DeviceSharing {
  return backend instanceof DeviceBackend;
}

class DeviceBackend implements DeviceSharing {
  readonly [backendBrand] = true as const;
  readonly specification = 1;
  readonly name: string;
  readonly precision = 'f32';
  readonly device: GPUDevice;
  readonly counters: WebGpuCounters = createCounters();
  readonly #owned: boolean;
  readonly #stream: CommandStream;
  readonly #store: HandleStore;
  readonly #mover: RowMover;
  #product: BufferBlock | undefined;
  #disposal: Promise<void> | undefined;

  constructor({ device, owned, description }: FoundDevice, settings: BackendSettings) {
    this.name = `webgpu f32, ${description}`;
    this.device = device;
    this.#owned = owned;
    this.#stream = new CommandStream(device, this.counters, settings);
    this.#store = new HandleStore(this.#stream, settings);
    this.#mover = new RowMover(this.#stream);
  }

  get disposed(): boolean {
    return this.#disposal !== undefined;
  }

  createMatrix(rows: number, columns: number): Matrix {
    this.checkUsable('createMatrix');
    return this.#store.createMatrix(this, rows, columns);
  }

  createTable(rows: number, columns: number): RowTable {
    this.checkUsable('createTable');
    return this.#store.createTable(this, rows, columns);
  }

  createIndices(capacity: number): Indices {
    this.checkUsable('createIndices');
    return this.#store.createIndices(this, capacity);
  }

  growTable(table: RowTable, rows: number): void {
    this.#store.growTable(table, rows);
  }

  release(handle: Matrix | RowTable | Indices): void {
    this.#store.release(handle);
  }

  write(values: ArrayLike<number>, out: Matrix): void {
    this.#stream.write(values, values.length, [{ block: blockOf(out), offset: 0, bytes: 4 * values.length }]);
  }

  indicesWritten(indices: Indices): void {
    indicesChanged(indices);
  }

  writeRows(values: ArrayLike<number>, firstRow: number, count: number, table: RowTable): void {
    const storage = tableOf(table);
    if (storage.kind === 'device') {
      this.#stream.write(values, count * table.columns, storage.extents(firstRow, count));
      return;
    }
    const kept = this.#stream.work.blocked ? Float32Array.from(values) : values;
    this.#stream.do(() => writeTableRows(kept, firstRow, count, storage.pieces));
  }

  read(source: Matrix, out: FloatArray): Promise<void> {
    const block = blockOf(source);
    const bytes = 4 * source.rows * source.columns;
    return this.#stream.read([{ block, offset: 0, bytes }], out);
  }

  readRows(table: RowTable, firstRow: number, count: number, out: FloatArray): Promise<void> {
    const storage = tableOf(table);
    if (storage.kind === 'device') return this.#stream.read(storage.extents(firstRow, count), out);
    return this.#stream.readHost(() => readTableRows(storage.pieces, firstRow, count, out));
  }

  synchronize(): Promise<void> {
    // The device of a disposed backend was destroyed on purpose, which is not reported as a device loss.
    if (this.disposed) return Promise.reject(this.#disposedAt('synchronize'));
    return this.#stream.synchronize();
  }

  memory(): MemoryReport {
    return this.#store.memory();
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  fill(value: number, out: Matrix): void {
    this.#stream.runElementwise({ operation: 'fill', length: lengthOf(out), first: value, out: blockOf(out) });
  }

  copy(source: Matrix, out: Matrix): void {
    this.#stream.runElementwise({ operation: 'copy', length: lengthOf(out), a: blockOf(source), out: blockOf(out) });
  }

  copyColumns(source: Matrix, sourceColumn: number, out: Matrix, outColumn: number, count: number): void {
    if (out.rows === 0 || count === 0) return;
    const { rows, columns: outColumns } = out;
    const plan = planCopyColumns({ rows, count, sourceColumns: source.columns, sourceColumn, outColumns, outColumn });
    this.#stream.run(plan, { a: blockOf(source), out: blockOf(out) });
  }

  addDiagonal(value: number, out: Matrix): void {
    this.#stream.run(planAddDiagonal(out.rows, value), { out: blockOf(out) });
  }

  gemm(a: Matrix, b: Matrix, out: Matrix, settings: GemmSettings): void {
    this.#multiply(a, b, out, blockOf(out), settings);
  }

  rowDot(a: Matrix, b: Matrix, out: Matrix): void {
    this.#stream.run(planReduceRows('dot', a.rows, a.columns), { a: blockOf(a), b: blockOf(b), out: blockOf(out) });
  }

  scaleRows(source: Matrix, factors: Matrix, out: Matrix): void {
    this.binary('multiply', source, factors, out);
  }

  axpy(alpha: number, x: Matrix, out: Matrix): void {
    this.#stream.runElementwise({
      operation: 'axpy',
      length: lengthOf(out),
      first: alpha,
      a: blockOf(x),
      out: blockOf(out),
    });
  }

  affine(x: Matrix, scale: number, shift: number, out: Matrix): void {
    this.#stream.runElementwise({
      operation: 'affine',
      length: lengthOf(out),
      first: scale,
      second: shift,
      a: blockOf(x),
      out: blockOf(out),
    });
  }

  unary(operation: UnaryOperation, x: Matrix, out: Matrix): void {
    this.#stream.runElementwise({ operation, length: lengthOf(out), a: blockOf(x), out: blockOf(out) });
  }

  binary(operation: BinaryOperation, a: Matrix, b: Matrix, out: Matrix): void {
    const { rows, columns } = a;
    const element = { operation, length: rows * columns, a: blockOf(a), b: blockOf(b), out: blockOf(out) };
    if (b.rows === rows && b.columns === columns) this.#stream.runElementwise(element);
    else if (b.rows === 1 && b.columns === 1) this.#stream.runElementwise({ ...element, bAccess: 'scalar' });
    else this.#stream.runElementwise({ ...element, bAccess: b.rows === 1 ? 'row' : 'column', columns });
  }

  reduce(operation: ReduceOperation, x: Matrix, out: Matrix): void {
    const { rows, columns } = x;
    const operands = { a: blockOf(x), out: blockOf(out) };
    if (out.rows === rows && out.columns === columns) {
      this.#stream.runElementwise({
        operation: operation === 'sumSquares' ? 'square' : 'copy',
        length: rows * columns,
        ...operands,
      });
    } else if (rows * columns === 0) {
      this.fill(operation === 'maximum' ? -Infinity : 0, out);
    } else if (out.rows === 1 && out.columns === 1) {
      this.#stream.run(planReduceRows(operation, 1, rows * columns), operands);
    } else if (out.columns === 1) {
      this.#stream.run(planReduceRows(operation, rows, columns), operands);
    } else {
      this.#stream.run(planReduceColumns(operation, rows, columns), operands);
    }
  }

  gatherRows(source: Matrix | RowTable, indices: Indices, out: Matrix): void {
    const list = rowListOf(indices);
    const storage = isMatrix(source) ? undefined : tableOf(source);
    if (storage?.kind === 'host') this.#mover.gatherFromHost(storage.pieces, list, blockOf(out));
    else this.#mover.gather(runsOf(source), list, out.columns, blockOf(out));
  }

  scatterAddRows(source: Matrix, indices: Indices, scale: number, destination: Matrix | RowTable): void {
    const groups = rowGroupsOf(indices);
    const storage = isMatrix(destination) ? undefined : tableOf(destination);
    if (storage?.kind === 'host') this.#mover.scatterAddToHost(blockOf(source), groups, scale, storage.pieces);
    else this.#mover.scatter(blockOf(source), groups, source.columns, scale, runsOf(destination));
  }

  scatterRows(source: Matrix, indices: Indices, destination: Matrix | RowTable): void {
    const storage = isMatrix(destination) ? undefined : tableOf(destination);
    if (storage?.kind === 'host') this.#mover.scatterToHost(blockOf(source), rowListOf(indices), storage.pieces);
    else this.#mover.scatter(blockOf(source), rowGroupsOf(indices), source.columns, undefined, runsOf(destination));
  }

  solve(a: Matrix, b: Matrix, out: Matrix, reciprocalCondition: Matrix): void {
    const operands = {
      a: blockOf(a),
      b: blockOf(b),
      out: blockOf(out),
      reciprocalCondition: blockOf(reciprocalCondition),
    };
    this.#stream.run(planSolve(a.rows, b.columns, this.device.limits), operands);
  }

  /** One product and its transpose: half the work of two gemms, and the result is bitwise symmetric. */
  symmetricRank2Update(a: Matrix, b: Matrix, out: Matrix, { transpose, alpha, beta }: RankUpdateSettings): void {
    const size = out.rows;
    if (size === 0) return;
    const product = this.#productOf(4 * size * size);
    this.#multiply(a, b, out, product, { transposeA: !transpose, transposeB: transpose, alpha: 1, beta: 0 });
    this.#stream.run(planMirrorAdd(size, alpha, beta), { a: product, out: blockOf(out) });
  }

  guard(flag: Matrix | undefined): void {
    const block = flag && blockOf(flag);
    this.#stream.do(() => this.#stream.recorder.guard(block));
  }

  get blocked(): boolean {
    return this.#stream.work.blocked;
  }

  submit(): void {
    if (!this.blocked) this.#stream.recorder.submit();
  }

  adopt(buffer: GPUBuffer, offset: number, bytes: number, rows: number, columns: number): Matrix {
    this.checkUsable('matrixOver');
    return this.#store.adoptMatrix(this, rows, columns, createBlock(buffer, offset, bytes, true));
  }

  #multiply(a: Matrix, b: Matrix, { rows, columns }: Matrix, out: BufferBlock, settings: GemmSettings): void {
    const depth = settings.transposeA ? a.rows : a.columns;
    this.#stream.run(planGemm(rows, columns, depth, settings, this.device.limits), {
      a: blockOf(a),
      b: blockOf(b),
      out,
    });
  }

  #productOf(bytes: number): BufferBlock {
    if (this.#product === undefined || this.#product.bytes < bytes) {
      const old = this.#product;
      this.#product = this.#stream.pool.acquire(bytes, 'symmetricRank2Update: the product').block;
      if (old !== undefined) this.#stream.do(() => this.#stream.recorder.release(old));
    }
    return this.#product;
  }

  async #dispose(): Promise<void> {
    await this.#stream.close();
    if (this.#owned) this.device.destroy();
  }

  checkUsable(operation: string): void {
    if (this.disposed) throw this.#disposedAt(operation);
    this.#stream.health.check();
  }

  #disposedAt(operation: string): LinalgError {
    return new LinalgError('disposed', `${operation}: the backend '${this.name}' was disposed`);
  }
}

function lengthOf({ rows, columns }: Matrix): number {
  return rows * columns;
}

function runsOf(handle: Matrix | RowTable): readonly RowRun[] {
  if (isMatrix(handle)) return [{ block: blockOf(handle), blockRow: 0, firstRow: 0, rows: handle.rows }];
  const storage = tableOf(handle);
  return storage.kind === 'device' ? storage.runs(0, handle.rows) : [];
}
