import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createPlainBackend, probePlainBackend, type Backend, type Precision, type ProbeResult } from '@vastmax/linalg-core';
import { UsageError } from './usage-error.ts';

export const backendNames = ['auto', 'wasm', 'plain'] as const;

/**
 * The backend of that name; `auto` takes the fastest that runs here and has the precision. Only applications choose a backend.
 * @throws UsageError when it is not available, with the reason.
 */
export async function createBackend(name: string, precision: Precision): Promise<Backend> {
  if (!backendNames.some((known) => known === name)) {
    throw new UsageError(`--backend must be one of ${backendNames.join(', ')}, got '${name}'`);
  }
  const wasm: ProbeResult = precision === 'f32' ? probeWasmBackend() : { available: false, reason: `it stores f32 only, --precision is ${precision}` };
  if (wasm.available && name !== 'plain') return createWasmBackend();
  if (!wasm.available && name === 'wasm') throw new UsageError(`--backend wasm is not available: ${wasm.reason}; use --backend plain`);
  return createPlainBackend({ precision });
}

/** Says which was taken and why, for people. */
export function describeBackend(backend: Backend): string {
  const probe = backend.name.startsWith('wasm') ? probeWasmBackend() : probePlainBackend();
  return `${backend.name}${probe.available ? ` (${probe.detail})` : ''}`;
}
