/** Chooses among the kernel variants that this engine can run, and compiles each at most once. */
import { LinalgError } from '@vastmax/linalg-core';
import { plainKernels } from './generated/plain-kernels.ts';
import { relaxedKernels } from './generated/relaxed-kernels.ts';
import { threadedKernels } from './generated/threaded-kernels.ts';
import { threadedRelaxedKernels } from './generated/threaded-relaxed-kernels.ts';
import { decodeBase64, findWebAssembly, type WasmModule, type WebAssemblyHost } from './web-assembly.ts';

export interface KernelVariant {
  /** For a shared memory. */
  readonly threaded: boolean;
  /** Uses fused multiply-add where the processor has it. */
  readonly relaxed: boolean;
}

const compiled = new Map<string, Promise<WasmModule>>();

function binaryOf({ threaded, relaxed }: KernelVariant): string {
  if (threaded) return relaxed ? threadedRelaxedKernels : threadedKernels;
  return relaxed ? relaxedKernels : plainKernels;
}

/**
 * Has the engine validate the kernels, which takes about a millisecond. False for the plain ones usually means no SIMD.
 */
export function canRun(variant: KernelVariant, webAssembly: WebAssemblyHost): boolean {
  return webAssembly.validate(decodeBase64(binaryOf(variant)));
}

/** @throws LinalgError `device-lost` where the engine or a page's policy does not allow compilation */
export async function compileKernels(variant: KernelVariant): Promise<WasmModule> {
  const binary = binaryOf(variant);
  try {
    let module = compiled.get(binary);
    if (module === undefined) {
      module = requireWebAssembly().compile(decodeBase64(binary));
      compiled.set(binary, module);
    }
    return await module;
  } catch (cause) {
    compiled.delete(binary);
    throw describeRefusal(cause);
  }
}

export function describeRefusal(cause: unknown): LinalgError {
  return new LinalgError(
    'device-lost',
    `createWasmBackend: the engine refused the kernels: ${cause instanceof Error ? cause.message : String(cause)}; they need 128-bit SIMD, ` +
      "and on a page with a Content-Security-Policy the source 'wasm-unsafe-eval'",
    { cause },
  );
}

/** @throws LinalgError `device-lost` where WebAssembly is missing */
export function requireWebAssembly(): WebAssemblyHost {
  const webAssembly = findWebAssembly();
  if (webAssembly !== undefined) return webAssembly;
  throw new LinalgError(
    'device-lost',
    'createWasmBackend: this engine has no WebAssembly; use createPlainBackend of @vastmax/linalg-core',
  );
}
