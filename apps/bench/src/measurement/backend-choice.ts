/** The backends that a bench can choose from, and why one cannot be had. */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { type Backend, createPlainBackend, probePlainBackend, type ProbeResult } from '@vastmax/linalg-core';
import { BenchError } from './bench-error.ts';

export const backendNames = ['openblas', 'wasm', 'plain'] as const;
export type BackendName = (typeof backendNames)[number];
export const backendChoices = ['auto', ...backendNames] as const;
export type BackendChoice = (typeof backendChoices)[number];

export interface BackendInUse {
  readonly name: BackendName;
  readonly threads: number;
  /** Its own name and what its probe says: the library and its version, the instructions. */
  readonly detail: string;
}

export interface CreatedBackend {
  readonly backend: Backend;
  readonly inUse: BackendInUse;
}

export async function probeBackend(name: BackendName): Promise<ProbeResult> {
  switch (name) {
    case 'openblas':
      return probeOpenBlasBackend();
    case 'wasm':
      return probeWasmBackend();
    case 'plain':
      return probePlainBackend();
  }
}

/** `auto` is openblas where its probe passes, else wasm, as in the `vastmax` command. */
export async function resolveBackend(choice: BackendChoice): Promise<BackendName> {
  if (choice !== 'auto') return choice;
  return (await probeBackend('openblas')).available ? 'openblas' : 'wasm';
}

/** @throws BenchError `unavailable` with the probe's reason, `bad-option` for threads that it cannot have. */
export async function createBackend(name: BackendName, threads: number): Promise<CreatedBackend> {
  const probe = await probeBackend(name);
  if (!probe.available) throw new BenchError('unavailable', `--backend ${name} is not available: ${probe.reason}`);
  if (name === 'plain' && threads > 1) {
    throw new BenchError(
      'bad-option',
      `--threads ${threads} with --backend plain, which has one thread; use --threads 1, or --backend wasm`,
    );
  }
  const backend = await create(name, threads);
  return { backend, inUse: { name, threads, detail: `${backend.name} (${probe.detail})` } };
}

function create(name: BackendName, threads: number): Promise<Backend> {
  const settings = { precision: 'f32', threads } as const;
  switch (name) {
    case 'openblas':
      return createOpenBlasBackend(settings);
    case 'wasm':
      return createWasmBackend(settings);
    case 'plain':
      return Promise.resolve(createPlainBackend({ precision: 'f32' }));
  }
}
