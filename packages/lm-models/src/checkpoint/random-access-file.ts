import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { CheckpointError, isSystemError } from './checkpoint-error.ts';
import { BLOCK_BYTES } from './safetensors-layout.ts';

/**
 * A file open for reading at any place, from several readers at once. On POSIX it stays readable when a later
 * checkpoint removes its name. Every error is a CheckpointError: `missing`, `read-failed`, `truncated` (it shrank while
 * open), `closed`.
 */
export class RandomAccessFile {
  readonly path: string;
  /** Its size when it was opened. */
  readonly bytes: number;
  readonly #handle: FileHandle;
  #closed = false;

  private constructor(path: string, bytes: number, handle: FileHandle) {
    this.path = path;
    this.bytes = bytes;
    this.#handle = handle;
  }

  static async open(path: string): Promise<RandomAccessFile> {
    let handle: FileHandle | undefined;
    try {
      // Opening a pipe would wait for its writer, so what it is comes first.
      if (!(await stat(path)).isFile())
        throw new CheckpointError('read-failed', `checkpoint: ${path} is not a regular file`);
      handle = await open(path, 'r');
      return new RandomAccessFile(path, (await handle.stat()).size, handle);
    } catch (error) {
      await handle?.close();
      throw readError(path, error);
    }
  }

  /** Fills `target` with the bytes from `position` on. */
  async read(target: Uint8Array, position: number): Promise<void> {
    if (this.#closed)
      throw new CheckpointError('closed', `checkpoint: ${this.path} is closed; read its tensors before closing it`);
    let done = 0;
    try {
      while (done < target.length) {
        const { bytesRead } = await this.#handle.read(target, done, target.length - done, position + done);
        if (bytesRead === 0)
          throw new CheckpointError(
            'truncated',
            `checkpoint: ${this.path} is truncated: bytes up to ${position + target.length} are needed, it ends at ${position + done}`,
          );
        done += bytesRead;
      }
    } catch (error) {
      throw readError(this.path, error);
    }
  }

  /**
   * SHA-256 of the whole file, in hexadecimal; holds one block. `onBlock` hears of each block's size and may throw to
   * stop.
   */
  async sha256(onBlock?: (bytes: number) => void): Promise<string> {
    const hash = createHash('sha256');
    const block = Buffer.alloc(Math.min(BLOCK_BYTES, this.bytes));
    for (let at = 0; at < this.bytes; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, this.bytes - at));
      await this.read(part, at);
      hash.update(part);
      onBlock?.(part.length);
    }
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

function readError(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new CheckpointError('missing', `checkpoint: there is no file ${path}`, { cause: error });
  return new CheckpointError('read-failed', `checkpoint: ${path} cannot be read: ${error.message}`, { cause: error });
}
