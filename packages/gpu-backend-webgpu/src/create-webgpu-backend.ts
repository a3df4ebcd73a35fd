import { LinalgError } from '@vastmax/linalg-core';
import { requestDevice, type DeviceRequest } from './device/find-device.ts';
import type { TablePlacement } from './handle-store.ts';
import { createBackendOn, type WebGpuBackend } from './webgpu-backend.ts';

export interface WebGpuBackendOptions extends DeviceRequest {
  /**
   * Where row tables lie: on the device, or in host memory, with gathered rows uploaded and scattered ones read back,
   * after which everything waits. 'auto', unless given, takes the device for tables of up to 2 GiB.
   */
  readonly tables?: TablePlacement;
  /**
   * Whether elementwise operations that follow one another become one kernel, compiled at their first use. true unless
   * given.
   */
  readonly fuse?: boolean;
}

/**
 * A backend on a GPU by WebGPU: a browser's, or in Node the one of the package `webgpu`. Give `device` to share an
 * application's own.
 * @throws LinalgError `device-lost` where there is no GPU that will do, with the reason; `bad-option`
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

function wholeParts(bytes: number): number {
  return bytes - (bytes % 256);
}
