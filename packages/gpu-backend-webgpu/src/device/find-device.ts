/**
 * Finds a device: the browser's navigator.gpu, or in Node the optional package `webgpu` (Dawn); its adapter; and a
 * device with the adapter's largest storage limits, because the defaults (128 MiB a binding) split tables needlessly.
 */
import { LinalgError } from '@vastmax/linalg-core';

/*
 * The published declarations use these four types. Node's types and those of TypeScript 5 do not declare them, and a
 * dependency on @webgpu/types conflicts with the DOM types of TypeScript 6. The interfaces here have only members that
 * all of those declare: they merge with an existing declaration, and are enough where there is none.
 */
declare global {
  interface GPU {
    requestAdapter(): Promise<GPUAdapter | null>;
  }
  interface GPUAdapter {
    requestDevice(): Promise<GPUDevice>;
  }
  interface GPUDevice {
    label: string;
  }
  interface GPUBuffer {
    readonly size: number;
  }
}

/** What to request; everything left out is searched for. */
export interface DeviceRequest {
  /** Instead of navigator.gpu. */
  readonly gpu?: GPU;
  readonly adapter?: GPUAdapter;
  /** A device of the application; it is not destroyed with the backend. */
  readonly device?: GPUDevice;
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Upper limits, in bytes. For tests, and for sharing a device. */
  readonly limits?: StorageLimits;
}

/** Limits of the device in bytes, for tests that need small ones. */
export interface StorageLimits {
  readonly maxStorageBufferBindingSize?: number;
  readonly maxBufferSize?: number;
}

/** The kernels need these limits, which the specification guarantees for every core device. */
const requiredLimits: Readonly<Partial<Record<keyof GPUSupportedLimits, number>>> = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
};

type Found<T> = { readonly found: T } | { readonly reason: string };

/**
 * Not a string constant: the build would inline it into the `import`, and bundlers for browsers would then include the
 * package with its imports of Node modules.
 */
const optionalPackage: { name: string } = { name: 'webgpu' };

/**
 * Everything that `create` returned: Dawn crashes when one is garbage-collected, so they are kept until the process
 * ends.
 */
const instances: GPU[] = [];
/** Dawn searches for drivers once for each instance: one that has found none is not used again. */
let dawn: GPU | undefined;

async function findGpu(gpu: GPU | undefined): Promise<Found<GPU>> {
  const host = gpu ?? (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu ?? dawn;
  if (host !== undefined) return { found: host };
  const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
  if (process?.versions?.node === undefined) {
    return {
      reason: 'this browser has no navigator.gpu: it is too old, or the page is neither https nor on localhost',
    };
  }
  try {
    const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ optionalPackage.name)) as {
      create(flags: readonly string[]): GPU;
    };
    dawn = create([]);
    instances.push(dawn);
    return { found: dawn };
  } catch (error) {
    return {
      reason: `Node has no WebGPU of its own, and the optional package 'webgpu' could not be loaded: ${firstLine(error)}; npm install webgpu`,
    };
  }
}

export async function findAdapter({ gpu, adapter, powerPreference }: DeviceRequest): Promise<Found<GPUAdapter>> {
  if (adapter !== undefined) return { found: adapter };
  const host = await findGpu(gpu);
  if ('reason' in host) return host;
  let found: GPUAdapter | null;
  try {
    found = await host.found.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  } catch (error) {
    return { reason: `requesting a WebGPU adapter failed: ${firstLine(error)}` };
  }
  if (found === null && host.found === dawn) dawn = undefined;
  return found === null
    ? { reason: 'WebGPU is available but has no adapter: no GPU, or no supported driver' }
    : { found };
}

/** The reason why kernels cannot run within these limits; undefined when they can. */
export function findMissingLimit(limits: GPUSupportedLimits): string | undefined {
  for (const [name, needed] of Object.entries(requiredLimits)) {
    const has = limits[name as keyof GPUSupportedLimits] as number;
    if (!(has >= needed)) return `the adapter's ${name} is ${has}, ${needed} is needed`;
  }
  return undefined;
}

export interface FoundDevice {
  readonly device: GPUDevice;
  /** True when the backend must destroy the device. */
  readonly owned: boolean;
  readonly description: string;
}

/** @throws LinalgError `device-lost` when there is no device, or none with the limits that the kernels need */
export async function requestDevice(request: DeviceRequest): Promise<FoundDevice> {
  if (request.device !== undefined) {
    const missing = findMissingLimit(request.device.limits);
    if (missing !== undefined) throw unavailable(missing.replace("the adapter's", "the device's"));
    return { device: request.device, owned: false, description: describeAdapter(request.device.adapterInfo) };
  }
  const adapter = await findAdapter(request);
  if ('reason' in adapter) throw unavailable(adapter.reason);
  const { limits, features, info } = adapter.found;
  const missing = findMissingLimit(limits);
  if (missing !== undefined) throw unavailable(missing);
  const wanted = [
    'maxStorageBufferBindingSize',
    'maxBufferSize',
    'maxComputeWorkgroupStorageSize',
    'maxStorageBuffersPerShaderStage',
  ] as const;
  try {
    const device = await adapter.found.requestDevice({
      requiredLimits: Object.fromEntries(wanted.map((name) => [name, limits[name]])),
      requiredFeatures: features.has('subgroups') ? ['subgroups'] : [],
    });
    return { device, owned: true, description: describeAdapter(info) };
  } catch (error) {
    throw unavailable(`the adapter returned no device: ${firstLine(error)}`);
  }
}

/**
 * In words: `NVIDIA RTX 4090`, or what the browser discloses; older browsers disclose nothing about a device's adapter.
 */
export function describeAdapter(info: GPUAdapterInfo | undefined): string {
  const { description = '', vendor = '', architecture = '' } = info ?? {};
  return (
    [description, `${vendor} ${architecture}`.trim(), 'an adapter without a name'].find((words) => words !== '') ?? ''
  );
}

/**
 * Whether the adapter computes on the CPU: it says so, or is one of the known ones (SwiftShader, Mesa's llvmpipe, the
 * Basic Render Driver of Windows). Of one that discloses nothing it is not known.
 */
export function isSoftwareAdapter(info: GPUAdapterInfo | undefined): boolean {
  const { vendor = '', architecture = '', device = '', description = '', isFallbackAdapter = false } = info ?? {};
  const words = `${vendor} ${architecture} ${device} ${description}`;
  return isFallbackAdapter || /swiftshader|llvmpipe|softpipe|basic render/i.test(words);
}

function unavailable(reason: string): LinalgError {
  return new LinalgError(
    'device-lost',
    `createWebGpuBackend: ${reason}; probeWebGpuBackend reports what is available, and @vastmax/cpu-backend-wasm needs no GPU`,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
