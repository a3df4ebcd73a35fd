import type { ProbeResult } from '@vastmax/linalg-core';
import { canRun } from './kernel-variants.ts';
import { countCores, findThreadObstacle, maxThreads } from './thread-support.ts';
import { findCompileObstacle, findWebAssembly } from './web-assembly.ts';

/**
 * Whether the engine can run the kernels, and how: with relaxed SIMD or not, with how many threads, or why with one
 * only. The engine validates the kernels for this, which takes some milliseconds. Whether a page's policy blocks
 * workers is known only after the first `createWasmBackend`.
 */
export function probeWasmBackend(): ProbeResult {
  const webAssembly = findWebAssembly();
  if (webAssembly === undefined) return { available: false, reason: 'this engine has no WebAssembly' };
  if (!canRun({ threaded: false, relaxed: false }, webAssembly)) {
    return {
      available: false,
      reason:
        'this engine has WebAssembly without 128-bit SIMD; Node 16.4, Chrome 91, Firefox 89 and Safari 16.4 were the first with it',
    };
  }
  const refusal = findCompileObstacle(webAssembly);
  if (refusal !== undefined) {
    return {
      available: false,
      reason: `this page may not compile WebAssembly: ${refusal}; its Content-Security-Policy needs the source 'wasm-unsafe-eval'`,
    };
  }
  const simd = canRun({ threaded: false, relaxed: true }, webAssembly)
    ? '128-bit SIMD with fused multiply-add'
    : '128-bit SIMD';
  const obstacle = findThreadObstacle(webAssembly);
  const cores = countCores();
  const threads = obstacle === undefined ? describeThreads(cores) : `one thread of ${cores}: ${obstacle}`;
  return { available: true, detail: `WebAssembly with ${simd}, f32, ${threads}` };
}

function describeThreads(cores: number): string {
  if (cores === 1) return 'one thread on one core';
  return `${Math.min(cores, maxThreads)} threads on ${cores} cores`;
}
