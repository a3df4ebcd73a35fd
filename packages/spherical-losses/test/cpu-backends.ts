/** The backends that every machine has, and OpenBLAS where it is. */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createPlainBackend, type Backend } from '@vastmax/linalg-core';

const openBlas = await probeOpenBlasBackend();

export const cpuBackends: readonly (readonly [name: string, create: () => Backend | Promise<Backend>])[] = [
  ['plain f64', () => createPlainBackend({ precision: 'f64' })],
  ['plain f32', () => createPlainBackend()],
  ['wasm f32', () => createWasmBackend()],
  ...(openBlas.available
    ? ([
        ['openblas f64', () => createOpenBlasBackend({ precision: 'f64' })],
        ['openblas f32', () => createOpenBlasBackend()],
      ] as const)
    : []),
];
