/**
 * For applications with GPU buffers of their own: the buffer of a matrix, and a matrix over a buffer, on a shared
 * device.
 */
import { LinalgError, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { BufferBlock } from './device/buffer-block.ts';
import { bufferUsage } from './device/buffer-usage.ts';
import { blockOf } from './handle-store.ts';
import { isDeviceSharing, type DeviceSharing } from './webgpu-backend.ts';

/** The part of a GPU buffer that holds a matrix, row by row. */
export interface MatrixBuffer {
  readonly device: GPUDevice;
  readonly buffer: GPUBuffer;
  /** Where the numbers begin, in bytes; they are rows·columns f32, row by row. */
  readonly offset: number;
  readonly bytes: number;
}

/** `offset`, in bytes, of the first number in the buffer; 0 unless given. */
export interface MatrixOverOptions {
  /** Where the numbers begin, in bytes: a multiple of the device's minStorageBufferOffsetAlignment. 0 unless given. */
  readonly offset?: number;
}

/**
 * The buffer range that holds the numbers of a matrix, valid until its disposal. Everything recorded so far is
 * submitted: later submissions of the application see its results, and later work of the backend sees theirs.
 * @throws LinalgError `backend-mismatch` for a matrix that is not on WebGPU, `disposed`, `bad-option` while the
 * read-back of a host table is pending
 */
function bufferOf(matrix: Matrix): MatrixBuffer {
  const backend = checkBackend('bufferOf', matrix.backend);
  if (matrix.disposed)
    throw new LinalgError('disposed', `bufferOf: the matrix was disposed (it was ${matrix.rows}×${matrix.columns})`);
  submitAll('bufferOf', backend);
  const { buffer, offset }: BufferBlock = blockOf(matrix);
  return { device: backend.device, buffer, offset, bytes: 4 * matrix.rows * matrix.columns };
}

/**
 * A matrix over part of an application's buffer; nothing is copied. Disposing the matrix does not destroy the buffer,
 * which must outlive it.
 * @param buffer of the same device, with the usages STORAGE, COPY_SRC and COPY_DST; its numbers must end at a multiple
 * of 16 bytes or before unused bytes up to one
 * @throws LinalgError `shape` when the numbers do not fit, `bad-option` for other usages or a wrong offset,
 * `backend-mismatch`
 */
function matrixOver(
  backend: Backend,
  buffer: GPUBuffer,
  rows: number,
  columns: number,
  options: MatrixOverOptions = {},
): Matrix {
  const { offset = 0 } = options;
  const host = checkBackend('matrixOver', backend);
  const needed = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyDestination;
  if ((buffer.usage & needed) !== needed) {
    throw new LinalgError(
      'bad-option',
      `matrixOver: the buffer's usage is ${buffer.usage}, it needs STORAGE, COPY_SRC and COPY_DST, ${needed}`,
    );
  }
  const { minStorageBufferOffsetAlignment: alignment } = host.device.limits;
  if (offset % alignment !== 0) {
    throw new LinalgError(
      'bad-option',
      `matrixOver: offset is ${offset}, this device needs a multiple of ${alignment}`,
    );
  }
  const bytes = Math.max(16, Math.ceil((rows * columns) / 4) * 16);
  if (offset + bytes > buffer.size) {
    throw new LinalgError(
      'shape',
      `matrixOver: ${rows}×${columns} needs ${bytes} bytes from ${offset} on, the buffer has ${buffer.size}`,
    );
  }
  return host.adopt(buffer, offset, bytes, rows, columns);
}

/**
 * Submits the recorded commands, so that an application's own submissions come after them.
 * @throws LinalgError `bad-option` while the read-back of a host table is pending
 */
function submit(backend: Backend): void {
  submitAll('submit', checkBackend('submit', backend));
}

function submitAll(operation: string, host: DeviceSharing): void {
  host.checkUsable(operation);
  if (host.blocked)
    throw new LinalgError(
      'bad-option',
      `${operation}: operations are waiting for a table on the host; await synchronize() first`,
    );
  host.submit();
}

/**
 * For programs with WebGPU code of their own: buffers of matrices, matrices over buffers, and submission of what is
 * recorded.
 */
export const interop: {
  readonly bufferOf: typeof bufferOf;
  readonly matrixOver: typeof matrixOver;
  readonly submit: typeof submit;
} = { bufferOf, matrixOver, submit };

function checkBackend(operation: string, backend: Backend): DeviceSharing {
  if (isDeviceSharing(backend)) return backend;
  throw new LinalgError(
    'backend-mismatch',
    `${operation}: the backend '${backend.name}' is not one of createWebGpuBackend`,
  );
}
