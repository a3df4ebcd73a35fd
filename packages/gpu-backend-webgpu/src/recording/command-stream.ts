/**
 * The device as the backend uses it: work in call order, commands recorded and submitted together, uploads and reads,
 * and failures. It works on buffers and plans, not on handles.
 */
import { LinalgError, type FloatArray } from '@vastmax/linalg-core';
import type { WebGpuCounters } from '../counters.ts';
import { BufferPool } from '../device/buffer-pool.ts';
import { bufferUsage } from '../device/buffer-usage.ts';
import { DeviceHealth } from '../device/device-health.ts';
import type { KernelDispatch } from '../kernel-dispatch.ts';
import type { ElementOperation } from './chain-builder.ts';
import { CommandRecorder, type Operands } from './command-recorder.ts';
import { OrderedWork } from './ordered-work.ts';
import { Readback, type Extent } from './readback.ts';

export interface StreamOptions {
  /** Size of the largest buffer that the device can bind, a multiple of 256 bytes. */
  readonly maxBytes: number;
  /** Whether consecutive elementwise operations are fused into one kernel. */
  readonly fuse: boolean;
}

export class CommandStream {
  readonly health: DeviceHealth;
  readonly pool: BufferPool;
  readonly recorder: CommandRecorder;
  readonly work: OrderedWork;
  readonly readback: Readback;
  readonly #device: GPUDevice;
  readonly #stagingPool: BufferPool;
  /** Pending reads and synchronizations. */
  readonly #awaited = new Set<Promise<void>>();

  constructor(device: GPUDevice, counters: WebGpuCounters, { maxBytes, fuse }: StreamOptions) {
    const { copySource, copyDestination, storage, mapRead } = bufferUsage;
    this.#device = device;
    this.health = new DeviceHealth(device);
    this.pool = new BufferPool(device, this.health, counters, {
      usage: copySource | copyDestination | storage,
      maxBytes,
    });
    this.#stagingPool = new BufferPool(device, this.health, counters, {
      usage: mapRead | copyDestination,
      maxBytes: device.limits.maxBufferSize,
    });
    this.recorder = new CommandRecorder(device, this.pool, this.health, counters, fuse);
    this.readback = new Readback(this.recorder, this.#stagingPool, this.health, counters);
    this.work = new OrderedWork((error) => {
      const failure =
        error instanceof LinalgError
          ? error
          : new LinalgError('device-lost', `webgpu: a delayed operation failed: ${String(error)}`, { cause: error });
      this.health.fail(failure);
    });
  }

  /** Runs a job in call order: at once if none is queued. */
  do(body: () => void): void {
    this.work.do(() => {
      body();
      return undefined;
    });
  }

  run(plan: readonly KernelDispatch[], operands: Operands): void {
    this.do(() => this.recorder.run(plan, operands));
  }

  runElementwise(element: ElementOperation): void {
    if (element.length > 0) this.do(() => this.recorder.runElementwise(element));
  }

  /** Writes `count` numbers into the extents, one after another; `values` is copied before the call returns. */
  write(values: ArrayLike<number>, count: number, extents: readonly Extent[]): void {
    // The numbers are split over several buffers by array views, which a plain array does not have.
    const typed =
      this.work.blocked || (extents.length > 1 && !(values instanceof Float32Array))
        ? Float32Array.from(values)
        : values;
    this.do(() => {
      let first = 0;
      for (const { block, offset, bytes } of extents) {
        const length = bytes / 4;
        const part = typed instanceof Float32Array && length < count ? typed.subarray(first, first + length) : typed;
        this.recorder.write(part, length, block, offset / 4);
        first += length;
      }
    });
  }

  /**
   * Reads the numbers of the extents as of the call.
   * @throws LinalgError `device-lost` or `out-of-memory`, as a rejection
   */
  read(extents: readonly Extent[], out: FloatArray): Promise<void> {
    return this.#startTracked(() =>
      this.readback.finish(this.readback.stage(extents), (floats, offset) => out.set(floats, offset)),
    );
  }

  /** Calls `copy`, which reads host memory, in call order. */
  readHost(copy: () => void): Promise<void> {
    return this.#startTracked(() => {
      copy();
      return Promise.resolve();
    });
  }

  synchronize(): Promise<void> {
    return this.#track(this.#awaitDevice());
  }

  async #awaitDevice(): Promise<void> {
    await this.work.drained();
    await this.recorder.submitted();
    await this.health.awaitPromise(this.#device.queue.onSubmittedWorkDone());
    await this.health.examined();
    this.health.check();
  }

  /** Destroys all buffers, once pending reads and synchronizations have completed. */
  async close(): Promise<void> {
    await this.work.drained();
    this.recorder.submit();
    await Promise.allSettled(this.#awaited);
    this.recorder.close();
    this.pool.close();
    this.#stagingPool.close();
  }

  #startTracked(begin: () => Promise<void>): Promise<void> {
    // An error at the start rejects the read, also if the read had to wait for earlier jobs.
    const start = async (): Promise<void> => {
      this.health.check();
      await begin();
    };
    return this.#track(
      new Promise<void>((resolve, reject) => {
        this.do(() => void start().then(resolve, reject));
      }),
    );
  }

  /** Tracks a promise so that `close` waits for it. */
  #track(promise: Promise<void>): Promise<void> {
    this.#awaited.add(promise);
    const forget = (): void => void this.#awaited.delete(promise);
    promise.then(forget, forget);
    return promise;
  }
}
