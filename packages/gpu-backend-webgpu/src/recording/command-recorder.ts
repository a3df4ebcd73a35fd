/**
 * Commands are recorded into one encoder, in one compute pass as long as no copy comes between. They are submitted
 * together when a result is awaited, or when the space for uniforms or uploads is full. A training step is one
 * submission.
 *
 * The uniforms of a submission are stored one after another in one buffer, which a bind group accesses with a dynamic
 * offset. So a learning rate that changes with every step creates no buffer.
 */
import { LinalgError } from '@vastmax/linalg-core';
import type { WebGpuCounters } from '../counters.ts';
import type { BufferBlock } from '../device/buffer-block.ts';
import type { BufferPool } from '../device/buffer-pool.ts';
import { bufferUsage } from '../device/buffer-usage.ts';
import type { DeviceHealth } from '../device/device-health.ts';
import type { BindingRole, KernelDispatch } from '../kernel-dispatch.ts';
import { ChainBuilder, type ElementOperation } from './chain-builder.ts';
import { armPlan, createGuardBlock } from './guard.ts';
import { PipelineCache, uniformSlotBytes } from './pipeline-cache.ts';
import { UploadArea } from './upload-area.ts';
import type { UploadedList } from './uploaded-list.ts';

/** Maximum number of dispatches in one submission. */
const uniformSlots = 1024;
/** A write of at least this size goes to the queue at once instead of through the upload area. */
const largeWriteBytes = 2 ** 23;

export type Operands = Readonly<
  Partial<Record<'a' | 'b' | 'out' | 'reciprocalCondition' | `operand${number}`, BufferBlock>>
>;

export class CommandRecorder {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #health: DeviceHealth;
  readonly #counters: WebGpuCounters;
  readonly #uniforms: GPUBuffer;
  readonly #uniformWords = new Uint32Array((uniformSlots * uniformSlotBytes) / 4);
  readonly #pipelines: PipelineCache;
  readonly #uploads: UploadArea;
  readonly #chain: ChainBuilder;
  readonly #scratch: BufferBlock[] = [];
  readonly #guard: BufferBlock;
  #isGuarded = false;
  /** Destroyed after the commands that use them have been submitted. */
  #pendingDestroy: BufferBlock[] = [];
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #slotsUsed = 0;
  #submission = 0;
  #submitting: Promise<void> | undefined;

  /** @param fuse whether consecutive elementwise operations are fused into one kernel */
  constructor(device: GPUDevice, pool: BufferPool, health: DeviceHealth, counters: WebGpuCounters, fuse: boolean) {
    this.#device = device;
    this.#pool = pool;
    this.#health = health;
    this.#counters = counters;
    this.#uniforms = device.createBuffer({
      size: uniformSlots * uniformSlotBytes,
      usage: bufferUsage.uniform | bufferUsage.copyDestination,
    });
    this.#guard = createGuardBlock(device);
    counters.buffersCreated += 2;
    this.#pipelines = new PipelineCache(device, health, counters, this.#uniforms, this.#guard.buffer);
    this.#uploads = new UploadArea(pool);
    this.#chain = new ChainBuilder(device.limits.maxStorageBuffersPerShaderStage, fuse);
  }

  /**
   * Records a plan. Does nothing on a failed device: the next read reports it.
   * @param list the buffer for the role `lists`; its offset becomes the first word of the uniforms of dispatches that
   * bind it
   */
  run(plan: readonly KernelDispatch[], operands: Operands, list?: UploadedList): void {
    if (this.#health.failure !== undefined) return;
    const { a, b, out, reciprocalCondition } = operands;
    this.#endChainBefore([a, b], [out, reciprocalCondition]);
    this.#reserveScratch(plan);
    if (list !== undefined) {
      // The list must keep its offset until the last dispatch of the plan has been recorded.
      this.#ensureSpace(plan.length, list.submission === this.#submission ? 0 : 4 * list.values.length);
      this.#place(list);
    }
    for (const dispatch of plan) {
      if (dispatch.workgroups.includes(0)) continue;
      this.#ensureSpace(1, 0);
      this.#dispatch(dispatch, operands, list);
    }
  }

  /** Records an elementwise operation; consecutive ones that fit run as one kernel. */
  runElementwise(operation: ElementOperation): void {
    if (this.#health.failure !== undefined || this.#chain.tryAdd(operation)) return;
    this.#endChain();
    this.#chain.tryAdd(operation);
  }

  /** From now on kernels write only if the flag is above 0 as of now; undefined ends the guard. */
  guard(flag: BufferBlock | undefined): void {
    this.#endChain();
    this.#isGuarded = false;
    if (flag === undefined) return;
    this.run(armPlan, { a: flag, out: this.#guard });
    this.#isGuarded = true;
  }

  /** The word of the active guard; it decides whether a scatter into a host table takes effect. */
  get guardWord(): BufferBlock | undefined {
    return this.#isGuarded ? this.#guard : undefined;
  }

  /** Writes `count` numbers into `block` from index `at` on; `values` is copied before the call returns. */
  write(values: ArrayLike<number>, count: number, block: BufferBlock, at: number): void {
    if (4 * count >= largeWriteBytes) {
      const floats = values instanceof Float32Array && values.length === count ? values : Float32Array.from(values);
      this.submit();
      if (this.#health.failure !== undefined) return;
      this.#device.queue.writeBuffer(
        block.buffer,
        block.offset + 4 * at,
        floats.buffer,
        floats.byteOffset,
        floats.byteLength,
      );
      this.#counters.bytesUploaded += floats.byteLength;
    } else {
      this.upload(count, block, at, (floats, offset) => floats.set(values, offset));
    }
  }

  /** As `write`, with numbers that `fill` stores at the given offset; `fill` is called before this returns. */
  upload(count: number, block: BufferBlock, at: number, fill: (floats: Float32Array, offset: number) => void): void {
    if (count === 0) return;
    this.#endChainBefore([], [block]);
    this.#ensureSpace(0, 4 * count);
    const from = this.#uploads.reserve(count);
    fill(this.#uploads.floats, from);
    this.#encode().copyBufferToBuffer(
      this.#uploads.block.buffer,
      4 * from,
      block.buffer,
      block.offset + 4 * at,
      4 * count,
    );
  }

  /** Copies bytes between two buffers; offsets within the blocks. */
  copy(source: BufferBlock, sourceOffset: number, target: BufferBlock, targetOffset: number, bytes: number): void {
    if (bytes === 0) return;
    this.#endChainBefore([source], [target]);
    this.#encode().copyBufferToBuffer(
      source.buffer,
      source.offset + sourceOffset,
      target.buffer,
      target.offset + targetOffset,
      bytes,
    );
  }

  clear(block: BufferBlock, offset: number, bytes: number): void {
    if (bytes === 0) return;
    this.#endChainBefore([], [block]);
    this.#encode().clearBuffer(block.buffer, block.offset + offset, bytes);
  }

  /** Returns a block to the pool; later commands may reuse it. */
  release(block: BufferBlock): void {
    const pendingDestroy = this.#pool.release(block);
    if (pendingDestroy === undefined) return;
    this.#pendingDestroy.push(pendingDestroy);
    if (this.#encoder === undefined && this.#chain.isEmpty) this.#destroyPending();
  }

  /** Called when the block of an application is no longer used. */
  forget(block: BufferBlock): void {
    this.#endChain();
    this.#pipelines.forget(block);
  }

  /**
   * Resolves when everything recorded in this iteration of the event loop has been submitted, so that several reads
   * share a submission.
   */
  submitted(): Promise<void> {
    this.#submitting ??= Promise.resolve().then(() => {
      this.#submitting = undefined;
      this.submit();
    });
    return this.#submitting;
  }

  /** Submits what has been recorded. */
  submit(): void {
    this.#endChain();
    this.#endPass();
    const encoder = this.#encoder;
    this.#encoder = undefined;
    if (encoder !== undefined) {
      const { queue } = this.#device;
      this.#device.pushErrorScope('validation');
      this.#device.pushErrorScope('out-of-memory');
      const uniformBytes = this.#slotsUsed * uniformSlotBytes;
      if (uniformBytes > 0) queue.writeBuffer(this.#uniforms, 0, this.#uniformWords.buffer, 0, uniformBytes);
      this.#counters.bytesUploaded += uniformBytes + this.#uploads.send(queue);
      queue.submit([encoder.finish()]);
      this.#counters.submits++;
      this.#health.examine(
        this.#device.popErrorScope(),
        (words) => new LinalgError('out-of-memory', `webgpu: the device ran out of memory: ${words}`),
      );
      this.#health.examine(
        this.#device.popErrorScope(),
        (words) =>
          new LinalgError(
            'device-lost',
            `webgpu: the device rejected a submission, and its results are lost: ${words}`,
          ),
      );
    }
    this.#uploads.discard();
    this.#slotsUsed = 0;
    this.#submission++;
    this.#destroyPending();
  }

  /** To be called after the last submission. */
  close(): void {
    this.#uniforms.destroy();
    this.#guard.buffer.destroy();
  }

  #destroyPending(): void {
    for (const block of this.#pendingDestroy) {
      this.#pipelines.forget(block);
      block.buffer.destroy();
    }
    this.#pendingDestroy = [];
  }

  /** Ends the chain unless a command on these blocks may run before it. */
  #endChainBefore(read: readonly (BufferBlock | undefined)[], written: readonly (BufferBlock | undefined)[]): void {
    if (this.#chain.isEmpty) return;
    const isBlock = (block: BufferBlock | undefined): block is BufferBlock => block !== undefined;
    if (this.#chain.conflictsWith(read.filter(isBlock), written.filter(isBlock))) this.#endChain();
  }

  #endChain(): void {
    if (this.#chain.isEmpty) return;
    const { dispatch, blocks } = this.#chain.take();
    const operands = Object.fromEntries(blocks.map((block, i) => [`operand${i}`, block])) as Operands;
    this.#ensureSpace(1, 0);
    this.#dispatch(dispatch, operands, undefined);
  }

  #encode(): GPUCommandEncoder {
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #ensureSpace(dispatches: number, bytes: number): void {
    if (this.#slotsUsed + dispatches <= uniformSlots && this.#uploads.hasSpace(bytes)) return;
    this.submit();
    const old = this.#uploads.grow(bytes);
    if (old !== undefined) this.release(old);
  }

  #place(list: UploadedList): void {
    if (list.submission === this.#submission) return;
    list.submission = this.#submission;
    list.place = this.#uploads.reserve(list.values.length);
    this.#uploads.integers.set(list.values, list.place);
  }

  #dispatch(dispatch: KernelDispatch, operands: Operands, list: UploadedList | undefined): void {
    const guarded = this.#isGuarded;
    const kernel = this.#pipelines.kernelOf(dispatch, guarded);
    const blocks = dispatch.bindings.map((role) => this.#blockOf(role, operands));
    const copies = blocks.some((block) => block.external) ? this.#separate(blocks, kernel.layout.signature) : [];
    const slot = this.#slotsUsed++;
    const at = (slot * uniformSlotBytes) / 4;
    this.#uniformWords.set(new Uint32Array(dispatch.uniforms), at);
    if (list !== undefined && dispatch.bindings.includes('lists')) this.#uniformWords[at] = list.place;
    if (this.#pass === undefined) {
      this.#encoder ??= this.#device.createCommandEncoder();
      this.#pass = this.#encoder.beginComputePass();
    }
    this.#pass.setPipeline(kernel.pipeline);
    this.#pass.setBindGroup(0, this.#pipelines.groupOf(kernel.layout, blocks), [slot * uniformSlotBytes]);
    if (guarded) this.#pass.setBindGroup(1, this.#pipelines.guardGroup);
    this.#pass.dispatchWorkgroups(...dispatch.workgroups);
    this.#counters.dispatches++;
    for (const block of copies) this.release(block);
  }

  #blockOf(role: BindingRole, operands: Operands): BufferBlock {
    const block =
      role === 'lists'
        ? this.#uploads.block
        : role.startsWith('scratch')
          ? this.#scratch[Number(role.slice(7))]
          : operands[role as keyof Operands];
    if (block === undefined)
      throw new LinalgError('bad-option', `webgpu: a kernel binds '${role}', which its plan does not provide`);
    return block;
  }

  /**
   * WebGPU rejects a dispatch that reads one part of a buffer and writes another. Where several matrices share an
   * application's buffer, the operands that are read are first copied to other buffers.
   * @returns the copies, which replace those operands in `blocks`
   */
  #separate(blocks: BufferBlock[], signature: string): readonly BufferBlock[] {
    const written = blocks.filter((_, i) => signature[i] === 'w');
    if (new Set(written.map(({ buffer }) => buffer)).size < written.length) {
      throw new LinalgError(
        'bad-option',
        'webgpu: two results of one operation lie in the same GPUBuffer; give one of them a buffer of its own',
      );
    }
    const copies: BufferBlock[] = [];
    for (const [i, block] of blocks.entries()) {
      if (signature[i] === 'w' || !written.some(({ buffer }) => buffer === block.buffer)) continue;
      const { block: copy } = this.#pool.acquire(
        block.bytes,
        'a copy of an operand that shares its GPUBuffer with the result',
      );
      this.copy(block, 0, copy, 0, block.bytes);
      copies.push(copy);
      blocks[i] = copy;
    }
    return copies;
  }

  #reserveScratch(plan: readonly KernelDispatch[]): void {
    for (const { scratchBytes } of plan) {
      scratchBytes?.forEach((bytes, index) => {
        const old = this.#scratch[index];
        if (old !== undefined && old.bytes >= bytes) return;
        this.#scratch[index] = this.#pool.acquire(bytes, `scratch of a kernel`).block;
        if (old !== undefined) this.release(old);
      });
    }
  }
}
