/**
 * Finds a device: the browser's navigator.gpu, or in Node the optional package `webgpu` (Dawn); its adapter; and a
 * device with the adapter's largest storage limits, because the defaults (128 MiB a binding) split tables needlessly.
 */
import { LinalgError } from '@vastmax/linalg-core';

/*
 * The published declarations name these four. A project for Node has none of them, TypeScript 5 neither, and
 * @webgpu/types as a dependency clashes with the DOM of TypeScript 6. Members that all of those declare merge with
 * whichever is there, and stand alone where none is.
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

/** What to request; everything left out is found. */
export interface DeviceRequest {
  /** Instead of navigator.gpu. */
  readonly gpu?: GPU;
  readonly adapter?: GPUAdapter;
  /** An application's own; it is not destroyed with the backend. */
  readonly device?: GPUDevice;
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Use no more than this, in bytes. For tests, and for sharing a device. */
  readonly limits?: StorageLimits;
}

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
 * No constant, which the build would put into the `import`: bundlers for browsers would then take the package in, with
 * its imports of Node.
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
    return { reason: `asking for a WebGPU adapter failed: ${firstLine(error)}` };
  }
  if (found === null && host.found === dawn) dawn = undefined;
  return found === null
    ? { reason: 'WebGPU is there, but it has no adapter: no GPU, or no driver that it accepts' }
    : { found };
}

/** Why kernels cannot run within these limits; undefined when they can. */
export function findMissingLimit(limits: GPUSupportedLimits): string | undefined {
  for (const [name, needed] of Object.entries(requiredLimits)) {
    const has = limits[name as keyof GPUSupportedLimits] as number;
    if (!(has >= needed)) return `the adapter's ${name} is ${has}, ${needed} is needed`;
  }
  return undefined;
}

export interface FoundDevice {
  readonly device: GPUDevice;
  /** The backend destroys it. */
  readonly owned: boolean;
  readonly description: string;
}

/** @throws LinalgError `device-lost` when there is none, or none with the limits that the kernels need */
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
    throw unavailable(`the adapter gives no device: ${firstLine(error)}`);
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

function unavailable(reason: string): LinalgError {
  return new LinalgError(
    'device-lost',
    `createWebGpuBackend: ${reason}; probeWebGpuBackend says what is there, and @vastmax/cpu-backend-wasm needs no GPU`,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
