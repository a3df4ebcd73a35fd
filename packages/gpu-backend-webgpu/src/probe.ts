import type { ProbeResult } from '@vastmax/linalg-core';
import { describeAdapter, findAdapter, findMissingLimit, type DeviceRequest } from './device/find-device.ts';

/**
 * Whether there is a GPU that will do, and which, or why not: no navigator.gpu, no package `webgpu` in Node, no
 * adapter, too small limits.
 */
export async function probeWebGpuBackend(
  request: Pick<DeviceRequest, 'gpu' | 'adapter' | 'powerPreference'> = {},
): Promise<ProbeResult> {
  const adapter = await findAdapter(request);
  if ('reason' in adapter) return { available: false, reason: adapter.reason };
  const { limits, info } = adapter.found;
  const missing = findMissingLimit(limits);
  if (missing !== undefined) return { available: false, reason: missing };
  const mebibytes = Math.floor(limits.maxStorageBufferBindingSize / 2 ** 20);
  return { available: true, detail: `WebGPU on ${describeAdapter(info)}, f32, up to ${mebibytes} MiB a matrix` };
}
