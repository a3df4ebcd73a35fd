/**
 * Reuses buffers by size. A buffer returns to the pool when its handle is released, although recorded commands may
 * still use it: one queue runs all commands in order, so its next use comes after them. Only its destruction must wait
 * for the submission. Sizes are rounded up to one of eight steps between powers of two: at most an eighth is wasted,
 * and shapes that vary little share buffers. Rejected: parts of large buffers, because WebGPU cannot bind one buffer
 * for reading and for writing in the same dispatch.
 */
import { LinalgError } from '@vastmax/linalg-core';
import type { WebGpuCounters } from '../counters.ts';
import { createBlock, type BufferBlock } from './buffer-block.ts';
import type { DeviceHealth } from './device-health.ts';

/** Total size of free buffers; above it a released buffer is destroyed. */
const maxKeptBytes = 256 * 2 ** 20;
const smallestBytes = 256;

export interface BufferPoolOptions {
  readonly usage: number;
  /** The largest buffer that the device allows. */
  readonly maxBytes: number;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #health: DeviceHealth;
  readonly #counters: WebGpuCounters;
  readonly #options: BufferPoolOptions;
  readonly #free = new Map<number, BufferBlock[]>();
  readonly #all = new Set<BufferBlock>();
  #freeBytes = 0;
  #closed = false;

  constructor(device: GPUDevice, health: DeviceHealth, counters: WebGpuCounters, options: BufferPoolOptions) {
    this.#device = device;
    this.#health = health;
    this.#counters = counters;
    this.#options = options;
  }

  /**
   * @param what for error messages: `createMatrix: 3×4`
   * @param maxBytes the limit of the backend's creator
   * @returns a block of at least `bytes`, and whether it is fresh: then it is zero, otherwise its content is undefined
   * @throws LinalgError `out-of-memory` when a buffer cannot be so large; where only the device detects that, the next
   * read rejects with it
   */
  acquire(
    bytes: number,
    what: string,
    maxBytes: number = this.#options.maxBytes,
  ): { readonly block: BufferBlock; readonly fresh: boolean } {
    if (bytes > maxBytes) {
      throw new LinalgError(
        'out-of-memory',
        `${what} is ${bytes} bytes, a buffer here may have ${maxBytes}; use fewer rows or columns, or a row table`,
      );
    }
    const size = Math.min(roundUp(bytes), this.#options.maxBytes);
    const kept = this.#free.get(size)?.pop();
    if (kept !== undefined) {
      this.#freeBytes -= size;
      return { block: kept, fresh: false };
    }
    this.#device.pushErrorScope('validation');
    this.#device.pushErrorScope('out-of-memory');
    const buffer = this.#device.createBuffer({ size, usage: this.#options.usage });
    for (let scope = 0; scope < 2; scope++) {
      this.#health.examine(
        this.#device.popErrorScope(),
        (words) =>
          new LinalgError('out-of-memory', `${what} (${bytes} bytes): the device has no room for it: ${words}`),
      );
    }
    this.#counters.buffersCreated++;
    const block = createBlock(buffer, 0, size, false);
    this.#all.add(block);
    return { block, fresh: true };
  }

  /**
   * Returns a block to the pool.
   * @returns the block if the pool does not keep it: the caller destroys it once no recorded command uses it
   */
  release(block: BufferBlock): BufferBlock | undefined {
    if (this.#closed) return undefined;
    if (this.#freeBytes + block.bytes > maxKeptBytes) {
      this.#all.delete(block);
      return block;
    }
    this.#freeBytes += block.bytes;
    const same = this.#free.get(block.bytes);
    if (same === undefined) this.#free.set(block.bytes, [block]);
    else same.push(block);
    return undefined;
  }

  /** Destroys all buffers, including those in use. */
  close(): void {
    this.#closed = true;
    for (const { buffer } of this.#all) buffer.destroy();
    this.#all.clear();
    this.#free.clear();
  }
}

/** Rounds up to a multiple of an eighth of the power of two below, and of 256 bytes. */
function roundUp(bytes: number): number {
  if (bytes <= smallestBytes) return smallestBytes;
  const step = Math.max(smallestBytes, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}
