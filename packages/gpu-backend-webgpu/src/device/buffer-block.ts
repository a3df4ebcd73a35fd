/**
 * A range of a GPUBuffer that kernels bind as a whole. Blocks that this package creates begin at 0 and cover their
 * buffer.
 */
export interface BufferBlock {
  /** Unique in the process: the key of bind groups. */
  readonly id: number;
  readonly buffer: GPUBuffer;
  /** In bytes; a multiple of the device's minStorageBufferOffsetAlignment. */
  readonly offset: number;
  /** A multiple of 16, so that kernels can load four numbers at a time. */
  readonly bytes: number;
  /** True for a range of an application's buffer: it may overlap others, and this package must not destroy it. */
  readonly external: boolean;
}

let lastId = 0;

export function createBlock(buffer: GPUBuffer, offset: number, bytes: number, external: boolean): BufferBlock {
  return { id: ++lastId, buffer, offset, bytes, external };
}
