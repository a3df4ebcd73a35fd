/** What computes: a GPU where there is a real one, else WebAssembly; and why. */
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import type { WebGpuProbeResult } from '@vastmax/gpu-backend-webgpu';
import type { Backend } from '@vastmax/linalg-core';
import type { BackendName } from '../messages.ts';

export interface ChosenBackend {
  readonly backend: Backend;
  /** For people. */
  readonly description: string;
}

/** @throws Error that says what is missing. */
export async function chooseBackend(asked: BackendName): Promise<ChosenBackend> {
  if (asked === 'wasm') return await createWasm();
  const gpu = await probeGpu();
  if (asked === 'webgpu' && !gpu.available) throw new Error(`There is no WebGPU here: ${gpu.reason}`);
  if (gpu.available && (asked === 'webgpu' || !gpu.software)) {
    try {
      const { createWebGpuBackend } = await import('@vastmax/gpu-backend-webgpu');
      return { backend: await createWebGpuBackend(), description: `the graphics processor: ${gpu.detail}` };
    } catch (error) {
      if (asked === 'webgpu') throw error;
      return await createWasm(`WebGPU failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return await createWasm(
    gpu.available ? 'the graphics processor is emulated in software, which is slower' : gpu.reason,
  );
}

/** What there is, a line each. */
export async function describeBackends(): Promise<readonly string[]> {
  const gpu = await probeGpu();
  return [gpu.available ? `WebGPU: ${gpu.detail}` : `WebGPU cannot be used: ${gpu.reason}`, describeWasm()];
}

async function createWasm(whyNoGpu?: string): Promise<ChosenBackend> {
  const backend = await createWasmBackend();
  return {
    backend,
    description: `the processor: ${describeWasm()}${whyNoGpu === undefined ? '' : `. No graphics processor, since ${whyNoGpu}`}`,
  };
}

function describeWasm(): string {
  const probe = probeWasmBackend();
  return probe.available ? probe.detail : `no WebAssembly: ${probe.reason}`;
}

async function probeGpu(): Promise<WebGpuProbeResult> {
  // Without WebGPU its package is not even loaded.
  if (!('gpu' in navigator))
    return { available: false, reason: 'this browser has no WebGPU, or the page is not secure' };
  const { probeWebGpuBackend } = await import('@vastmax/gpu-backend-webgpu');
  return probeWebGpuBackend();
}
