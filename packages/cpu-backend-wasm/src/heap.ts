/**
 * Blocks of the WebAssembly memory. Sizes are rounded up to classes (64 bytes apart up to 1 KiB, then eight per power
 * of two: at most an eighth is wasted). A freed block goes to the free list of its class, and new blocks are allocated
 * at the end. Blocks are not split or merged: training requests the same sizes over and over, so a merging allocator
 * would gain little.
 */
import { LinalgError } from '@vastmax/linalg-core';
import type { WasmMemory } from './web-assembly.ts';

const pageBytes = 65_536;
const pagesPerGrowth = 16;
const smallestBlock = 64;
/** Below it are the threads' control words (assembly/job.ts). */
const firstOffset = 2048;
/** A kernel may load up to a vector beyond the last block. */
const guardBytes = 64;
/** 4 GiB less a page: an offset past the end must not wrap around to 0. */
const addressableBytes = 2 ** 32 - pageBytes;

/** A part of the memory; `bytes` is that of its class. */
export interface HeapBlock {
  readonly offset: number;
  readonly bytes: number;
}

export class WasmHeap {
  readonly memory: WasmMemory;
  readonly maxBytes: number;
  readonly #free = new Map<number, HeapBlock[]>();
  #floats: Float32Array;
  #integers: Int32Array;
  #top = firstOffset;
  /** No byte from here on was ever part of a block: the engine's zeros. */
  #untouched = firstOffset;

  /** @param maxBytes maximum size of the memory; all that can be addressed (4 GiB) unless given */
  constructor(memory: WasmMemory, maxBytes: number = addressableBytes) {
    this.memory = memory;
    this.maxBytes = Math.min(maxBytes, addressableBytes);
    this.#floats = new Float32Array(memory.buffer);
    this.#integers = new Int32Array(memory.buffer);
  }

  /** The whole memory as f32; valid until the next `allocate`, which may move it. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /** The same as 32-bit integers. */
  get integers(): Int32Array {
    return this.#integers;
  }

  /**
   * A block of at least `bytes`, of undefined content.
   * @throws LinalgError `out-of-memory`, with nothing changed, when the memory is full
   */
  allocate(bytes: number, what: string): HeapBlock {
    if (!(bytes <= this.maxBytes)) throw this.#outOfMemory(bytes, what);
    const size = roundUp(bytes);
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) return reused;
    if (this.#growTo(this.#top + size + guardBytes)) {
      const block = { offset: this.#top, bytes: size };
      this.#top += size;
      this.#untouched = Math.max(this.#untouched, this.#top);
      return block;
    }
    const larger = this.#allocateLarger(size);
    if (larger === undefined) throw this.#outOfMemory(bytes, what);
    return larger;
  }

  /** As `allocate`, and the first `bytes` are zero. What was never used is not written: its pages cost no memory yet. */
  allocateZeros(bytes: number, what: string): HeapBlock {
    const untouched = this.#untouched;
    const block = this.allocate(bytes, what);
    this.#floats.fill(0, block.offset >>> 2, Math.min(block.offset + bytes, untouched) >>> 2);
    return block;
  }

  free(block: HeapBlock): void {
    if (block.offset + block.bytes === this.#top) {
      this.#top = block.offset;
      return;
    }
    const list = this.#free.get(block.bytes);
    if (list === undefined) this.#free.set(block.bytes, [block]);
    else list.push(block);
  }

  /** Grows the memory to at least `bytes`. */
  #growTo(bytes: number): boolean {
    const missing = bytes - this.memory.buffer.byteLength;
    if (missing <= 0) return true;
    if (bytes > this.maxBytes) return false;
    const room = Math.floor((this.maxBytes - this.memory.buffer.byteLength) / pageBytes);
    const needed = Math.ceil(missing / pageBytes);
    if (needed > room) return false;
    try {
      this.memory.grow(Math.min(room, Math.max(needed, pagesPerGrowth)));
    } catch {
      return false;
    }
    this.#floats = new Float32Array(this.memory.buffer);
    this.#integers = new Int32Array(this.memory.buffer);
    return true;
  }

  /** Allocates the smallest free block that is large enough, when the memory cannot grow any more. */
  #allocateLarger(size: number): HeapBlock | undefined {
    let best: HeapBlock[] | undefined;
    let bestSize = Infinity;
    for (const [classSize, list] of this.#free) {
      if (classSize < size || classSize >= bestSize || list.length === 0) continue;
      best = list;
      bestSize = classSize;
    }
    return best?.pop();
  }

  #outOfMemory(bytes: number, what: string): LinalgError {
    return new LinalgError(
      'out-of-memory',
      `${what} needs ${bytes} bytes; the WebAssembly heap is at ${this.memory.buffer.byteLength} of at most ${this.maxBytes} bytes; ` +
        'use smaller batches, or a RowTable for rows that need not enter a product',
    );
  }
}

/** The size of the class that holds `bytes`. */
function roundUp(bytes: number): number {
  if (bytes <= smallestBlock) return smallestBlock;
  const step = Math.max(smallestBlock, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}
