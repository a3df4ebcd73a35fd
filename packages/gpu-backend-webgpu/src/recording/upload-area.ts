/**
 * The data that a submission uploads: an array on the host that is filled while commands are recorded, and a buffer on
 * the device that receives it by one writeBuffer before the submit. The queue runs both in order after earlier
 * submissions, so one buffer serves all of them without mapping or waiting. Rejected: a ring of mapped buffers, which
 * saves one copy on the host but needs more buffers when the device is slower than the host.
 */
import type { BufferBlock } from '../device/buffer-block.ts';
import type { BufferPool } from '../device/buffer-pool.ts';

const initialBytes = 2 ** 18;

export class UploadArea {
  readonly #pool: BufferPool;
  #bytes: Uint8Array = new Uint8Array(initialBytes);
  #block: BufferBlock | undefined;
  #used = 0;
  floats: Float32Array = new Float32Array(this.#bytes.buffer);
  integers: Int32Array = new Int32Array(this.#bytes.buffer);

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** The buffer on the device. */
  get block(): BufferBlock {
    this.#block ??= this.#pool.acquire(this.#bytes.length, 'the upload area').block;
    return this.#block;
  }

  get used(): number {
    return this.#used;
  }

  hasSpace(bytes: number): boolean {
    return this.#used + bytes <= this.#bytes.length;
  }

  /** Enlarges an empty area. @returns the block that is no longer used, if there was one */
  grow(bytes: number): BufferBlock | undefined {
    if (this.#bytes.length >= bytes) return undefined;
    const old = this.#block;
    this.#bytes = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)));
    this.floats = new Float32Array(this.#bytes.buffer);
    this.integers = new Int32Array(this.#bytes.buffer);
    this.#block = undefined;
    return old;
  }

  /** @returns the offset for the next `count` 4-byte numbers, in numbers; they must fit */
  reserve(count: number): number {
    const at = this.#used >>> 2;
    this.#used += 4 * count;
    return at;
  }

  /** Writes everything to the queue, before the next submission. @returns the bytes uploaded */
  send(queue: GPUQueue): number {
    const bytes = this.#used;
    if (bytes > 0) queue.writeBuffer(this.block.buffer, 0, this.#bytes.buffer, 0, bytes);
    return bytes;
  }

  /** Empties the area. */
  discard(): void {
    this.#used = 0;
  }
}
