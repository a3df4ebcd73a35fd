export type { WebGpuCounters } from './counters.ts';
export {
  createWebGpuBackend,
  probeWebGpuBackend,
  type WebGpuBackendOptions,
  type WebGpuProbeResult,
} from './create-webgpu-backend.ts';
export type { DeviceRequest, StorageLimits } from './device/find-device.ts';
export type { TablePlacement } from './handle-store.ts';
export { interop, type MatrixBuffer, type MatrixOverOptions } from './interop.ts';
export type { WebGpuBackend } from './webgpu-backend.ts';
