/**
 * Reads numbers back to the host. A command copies them into a staging buffer, so that later commands do not affect
 * them, and the staging buffer is mapped once the submission has completed. There are as many staging buffers as
 * pending reads, and they are reused.
 */
import type { WebGpuCounters } from '../counters.ts';
import type { BufferBlock } from '../device/buffer-block.ts';
import type { BufferPool } from '../device/buffer-pool.ts';
import { mapModeRead } from '../device/buffer-usage.ts';
import type { DeviceHealth } from '../device/device-health.ts';
import type { CommandRecorder } from './command-recorder.ts';

/** Larger reads are split into staging buffers of this size. */
const maxStagingBytes = 2 ** 26;

/** Part of a block, in bytes. */
export interface Extent {
  readonly block: BufferBlock;
  readonly offset: number;
  readonly bytes: number;
}

export interface StagedRead {
  readonly staging: BufferBlock;
  readonly bytes: number;
}

export class Readback {
  readonly #recorder: CommandRecorder;
  readonly #pool: BufferPool;
  readonly #health: DeviceHealth;
  readonly #counters: WebGpuCounters;

  /** @param pool of buffers that can be mapped for reading */
  constructor(recorder: CommandRecorder, pool: BufferPool, health: DeviceHealth, counters: WebGpuCounters) {
    this.#recorder = recorder;
    this.#pool = pool;
    this.#health = health;
    this.#counters = counters;
  }

  /** Records the copies of all extents, one after another. */
  stage(extents: readonly Extent[]): readonly StagedRead[] {
    this.#counters.reads++;
    const reads: StagedRead[] = [];
    for (const { block, offset, bytes } of extents) {
      for (let done = 0; done < bytes; done += maxStagingBytes) {
        const part = Math.min(maxStagingBytes, bytes - done);
        const { block: staging } = this.#pool.acquire(part, 'a staging buffer of a read');
        this.#recorder.copy(block, offset + done, staging, 0, part);
        reads.push({ staging, bytes: part });
      }
    }
    return reads;
  }

  /**
   * Waits for the staged numbers and passes them on, in order; the floats are valid during the call only.
   * @throws LinalgError `device-lost` or `out-of-memory`
   */
  async finish(reads: readonly StagedRead[], take: (floats: Float32Array, offset: number) => void): Promise<void> {
    await this.#recorder.submitted();
    await this.#health.awaitPromise(
      Promise.all(reads.map(({ staging, bytes }) => staging.buffer.mapAsync(mapModeRead, 0, bytes))),
    );
    // A rejected submission leaves zeros, and is reported by the device's health.
    await this.#health.examined();
    let offset = 0;
    for (const { staging, bytes } of reads) {
      if (this.#health.failure === undefined) take(new Float32Array(staging.buffer.getMappedRange(0, bytes)), offset);
      staging.buffer.unmap();
      // No recorded command uses it: what the pool does not keep can be destroyed at once.
      this.#pool.release(staging)?.buffer.destroy();
      offset += bytes / 4;
    }
    this.#health.check();
  }
}
