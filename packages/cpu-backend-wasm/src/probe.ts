import type { ProbeResult } from '@vastmax/linalg-core';
import { canRunKernels } from './kernels.ts';
import { findWebAssembly } from './web-assembly.ts';

/** Whether the engine can run the kernels, found by letting it validate them. Costs about a millisecond. */
export function probeWasmBackend(): ProbeResult {
  const webAssembly = findWebAssembly();
  if (webAssembly === undefined) return { available: false, reason: 'this engine has no WebAssembly' };
  if (!canRunKernels(webAssembly)) {
    return {
      available: false,
      reason: 'this engine has WebAssembly without 128-bit SIMD; Node 16.4, Chrome 91, Firefox 89 and Safari 16.4 were the first with it',
    };
  }
  return { available: true, detail: 'WebAssembly with 128-bit SIMD, f32, one thread' };
}
