export { createWasmBackend, type WasmBackendOptions } from './create-wasm-backend.ts';
export { matrixView } from './heap-storage.ts';
export { probeWasmBackend } from './probe.ts';
