export { probeWasmBackend } from './probe.ts';
export { createWasmBackend, type WasmBackendOptions } from './wasm-backend.ts';
