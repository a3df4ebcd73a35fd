/**
 * A range of a GPUBuffer that kernels bind as a whole. Those of this package's own making begin at 0 and are as long as
 * their buffer.
 */
export interface BufferBlock {
  /** Unique in the process: the key of bind groups. */
  readonly id: number;
  readonly buffer: GPUBuffer;
  /** In bytes; a multiple of the device's minStorageBufferOffsetAlignment. */
  readonly offset: number;
  /** A multiple of 16, so that kernels may take four numbers at a time. */
  readonly bytes: number;
  /** True for a range of an application's buffer, which may overlap another's and is not ours to destroy. */
  readonly borrowed: boolean;
}

let lastId = 0;

export function createBlock(buffer: GPUBuffer, offset: number, bytes: number, borrowed: boolean): BufferBlock {
  return { id: ++lastId, buffer, offset, bytes, borrowed };
}
