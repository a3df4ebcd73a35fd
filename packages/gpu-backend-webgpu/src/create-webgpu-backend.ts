import { LinalgError } from '@vastmax/linalg-core';
import {
  describeAdapter,
  findAdapter,
  findMissingLimit,
  isSoftwareAdapter,
  requestDevice,
  type DeviceRequest,
} from './device/find-device.ts';
import type { TablePlacement } from './handle-store.ts';
import { createBackendOn, type WebGpuBackend } from './webgpu-backend.ts';

/** The device to use or to ask for, where tables are kept, and whether elementwise kernels are fused. */
export interface WebGpuBackendOptions extends DeviceRequest {
  /**
   * Where row tables are stored: on the device or in host memory. With a host table, gathered rows are uploaded and
   * scattered rows are read back, and later operations wait for that read. 'auto' (the default) stores tables of up to
   * 2 GiB on the device.
   */
  readonly tables?: TablePlacement;
  /**
   * Whether consecutive elementwise operations are fused into one kernel, which is compiled at its first use. Default
   * true.
   */
  readonly fuse?: boolean;
}

/**
 * A backend on a GPU through WebGPU: the browser's, or in Node that of the package `webgpu`. Pass `device` to share an
 * application's device.
 * @throws LinalgError `device-lost` where no GPU is usable, with the reason; `bad-option`
 */
export async function createWebGpuBackend(options: WebGpuBackendOptions = {}): Promise<WebGpuBackend> {
  const { tables = 'auto', limits = {}, fuse = true } = options;
  if (!['auto', 'device', 'host'].includes(tables)) {
    throw new LinalgError(
      'bad-option',
      `createWebGpuBackend: tables must be 'auto', 'device' or 'host', got '${String(tables)}'`,
    );
  }
  for (const [name, bytes] of Object.entries(limits)) {
    if (!Number.isSafeInteger(bytes) || bytes < 256) {
      throw new LinalgError(
        'bad-option',
        `createWebGpuBackend: limits.${name} must be a whole number of at least 256 bytes, got ${String(bytes)}`,
      );
    }
  }
  const found = await requestDevice(options);
  const { maxStorageBufferBindingSize, maxBufferSize } = found.device.limits;
  const maxBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const allowed = Math.min(maxBytes, limits.maxStorageBufferBindingSize ?? maxBytes, limits.maxBufferSize ?? maxBytes);
  return createBackendOn(found, {
    tables,
    maxBytes: wholeParts(maxBytes),
    maxBlockBytes: wholeParts(allowed),
    fuse,
  });
}

/** As `ProbeResult`; `software` is true for an adapter that computes on the CPU, which gives results and no speed. */
export type WebGpuProbeResult =
  | { readonly available: true; readonly detail: string; readonly software: boolean }
  | { readonly available: false; readonly reason: string };

/**
 * Whether there is a usable GPU, and which one, or the reason why not: no navigator.gpu, no package `webgpu` in Node,
 * no adapter, limits that are too small.
 */
export async function probeWebGpuBackend(
  request: Pick<DeviceRequest, 'gpu' | 'adapter' | 'powerPreference'> = {},
): Promise<WebGpuProbeResult> {
  const adapter = await findAdapter(request);
  if ('reason' in adapter) return { available: false, reason: adapter.reason };
  const { limits, info } = adapter.found;
  const missing = findMissingLimit(limits);
  if (missing !== undefined) return { available: false, reason: missing };
  const mebibytes = Math.floor(limits.maxStorageBufferBindingSize / 2 ** 20);
  const software = isSoftwareAdapter(info);
  return {
    available: true,
    software,
    detail: `WebGPU on ${describeAdapter(info)}${software ? ', a GPU in software' : ''}, f32, up to ${mebibytes} MiB a matrix`,
  };
}

function wholeParts(bytes: number): number {
  return bytes - (bytes % 256);
}
