/**
 * Caches pipelines by their WGSL code, and bind groups by their buffers. The layout of a kernel follows from the
 * storage bindings that its code declares. Kernels with the same declarations share a layout and so the bind groups:
 * after warm-up neither is created.
 */
import { LinalgError } from '@vastmax/linalg-core';
import type { WebGpuCounters } from '../counters.ts';
import type { BufferBlock } from '../device/buffer-block.ts';
import type { DeviceHealth } from '../device/device-health.ts';
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { guardedCode } from './guard.ts';

/** Bytes of a dispatch's part of the uniform buffer: the offset alignment that every device supports. */
export const uniformSlotBytes = 256;
/**
 * More than any model needs. Above it the cache is emptied instead of growing with every new combination of buffers.
 */
const maxBindGroups = 8192;
/** GPUShaderStage.COMPUTE. */
const visibility = 0x4;
const declaration = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage\s*(?:,\s*(read_write|read)\s*)?>/g;

export interface Kernel {
  readonly pipeline: GPUComputePipeline;
  /** The access of bindings 1, 2 …. */
  readonly layout: BindingLayout;
}

export interface BindingLayout {
  /** One letter per binding: r for read, w for read and write. */
  readonly signature: string;
  readonly groupLayout: GPUBindGroupLayout;
  readonly pipelineLayout: GPUPipelineLayout;
  /** With the guard as group 1. */
  readonly guardedLayout: GPUPipelineLayout;
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #health: DeviceHealth;
  readonly #counters: WebGpuCounters;
  readonly #uniforms: GPUBuffer;
  readonly #kernels = new Map<string, Map<string, Kernel>>();
  readonly #layouts = new Map<string, BindingLayout>();
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #guardLayout: GPUBindGroupLayout;
  /** Group 1 of guarded kernels. */
  readonly guardGroup: GPUBindGroup;

  /**
   * @param uniforms the buffer of all dispatches' uniforms
   * @param guard the buffer of the guard's word
   */
  constructor(
    device: GPUDevice,
    health: DeviceHealth,
    counters: WebGpuCounters,
    uniforms: GPUBuffer,
    guard: GPUBuffer,
  ) {
    this.#device = device;
    this.#health = health;
    this.#counters = counters;
    this.#uniforms = uniforms;
    this.#guardLayout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility, buffer: { type: 'uniform' } }],
    });
    this.guardGroup = device.createBindGroup({
      layout: this.#guardLayout,
      entries: [{ binding: 0, resource: { buffer: guard } }],
    });
    counters.bindGroupsCreated++;
  }

  /** @param guarded whether it tests the guard first */
  kernelOf(dispatch: KernelDispatch, guarded: boolean): Kernel {
    const { code, entryPoint } = dispatch;
    let entries = this.#kernels.get(code);
    if (entries === undefined) this.#kernels.set(code, (entries = new Map<string, Kernel>()));
    const name = guarded ? `guarded ${entryPoint}` : entryPoint;
    let kernel = entries.get(name);
    if (kernel === undefined)
      entries.set(name, (kernel = this.#createKernel(guarded ? guardedCode(dispatch) : code, entryPoint, guarded)));
    return kernel;
  }

  /** The bind group with these blocks as bindings 1, 2 …. */
  groupOf({ signature, groupLayout }: BindingLayout, blocks: readonly BufferBlock[]): GPUBindGroup {
    let key = signature;
    for (const { id } of blocks) key += `,${id}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= maxBindGroups) this.#groups.clear();
    const uniforms: GPUBindGroupEntry = {
      binding: 0,
      resource: { buffer: this.#uniforms, offset: 0, size: uniformSlotBytes },
    };
    const storage = blocks.map(({ buffer, offset, bytes }, i): GPUBindGroupEntry => ({
      binding: i + 1,
      resource: { buffer, offset, size: bytes },
    }));
    const group = this.#device.createBindGroup({ layout: groupLayout, entries: [uniforms, ...storage] });
    this.#counters.bindGroupsCreated++;
    this.#groups.set(key, group);
    return group;
  }

  /** Drops every bind group with a destroyed block. O(bind groups), called rarely. */
  forget({ id }: BufferBlock): void {
    const part = new RegExp(`,${id}(?:,|$)`);
    for (const key of this.#groups.keys()) if (part.test(key)) this.#groups.delete(key);
  }

  #createKernel(code: string, entryPoint: string, guarded: boolean): Kernel {
    const layout = this.#layoutOf(signatureOf(code));
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ code });
    const pipeline = this.#device.createComputePipeline({
      layout: guarded ? layout.guardedLayout : layout.pipelineLayout,
      compute: { module, entryPoint },
    });
    this.#health.examine(
      this.#device.popErrorScope(),
      (words) =>
        new LinalgError(
          'device-lost',
          `webgpu: the device rejected a kernel of this package, which is a bug in one of the two: ${words}`,
        ),
    );
    this.#counters.pipelinesCreated++;
    return { pipeline, layout };
  }

  #layoutOf(signature: string): BindingLayout {
    const known = this.#layouts.get(signature);
    if (known !== undefined) return known;
    const storage = Array.from(signature, (access, i): GPUBindGroupLayoutEntry => ({
      binding: i + 1,
      visibility,
      buffer: { type: access === 'r' ? 'read-only-storage' : 'storage' },
    }));
    const groupLayout = this.#device.createBindGroupLayout({
      entries: [{ binding: 0, visibility, buffer: { type: 'uniform', hasDynamicOffset: true } }, ...storage],
    });
    const layout = {
      signature,
      groupLayout,
      pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [groupLayout] }),
      guardedLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [groupLayout, this.#guardLayout] }),
    };
    this.#layouts.set(signature, layout);
    return layout;
  }
}

/** `rrw` for two bindings that are read and one that is written. */
function signatureOf(code: string): string {
  const accesses: string[] = [];
  for (const [, binding, access] of code.matchAll(declaration))
    accesses[Number(binding) - 1] = access === 'read_write' ? 'w' : 'r';
  return accesses.join('');
}
