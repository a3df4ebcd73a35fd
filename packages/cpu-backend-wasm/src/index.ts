export {
  createHostedThreads,
  createWasmBackend,
  type HostedThreads,
  type HostedWork,
  type WasmBackendOptions,
} from './create-wasm-backend.ts';
export type { HostingBackend } from './wasm-backend.ts';
export { matrixView } from './heap-storage.ts';
export { probeWasmBackend } from './probe.ts';
