/** Chooses the backend of a command: the fastest that runs here unless one is named, and why faster ones do not run. */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import {
  createPlainBackend,
  probePlainBackend,
  type Backend,
  type Precision,
  type ProbeResult,
} from '@vastmax/linalg-core';
import { Option, type Command } from 'commander';
import { UsageError } from '../terminal/errors.ts';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { measureStep } from './backend-speed.ts';
import { wholeNumber } from './option-values.ts';

const backendNames = ['auto', 'openblas', 'wasm', 'plain', 'webgpu'] as const;

/** Help text of the option `--backend` of every command. */
const backendHelp =
  'compute backend: openblas (a native BLAS), wasm, plain, or webgpu (a GPU); auto selects the first of the three that is available, and for training a GPU where one is faster; vastmax backends lists them';

export interface BackendOptions {
  readonly backend: string;
  readonly threads?: number;
}

/** `--backend` and `--threads`. */
export function addBackendOptions(command: Command): Command {
  return addThreadsOption(
    command.addOption(new Option('--backend <name>', backendHelp).choices(backendNames).default('auto')),
  );
}

export function addThreadsOption(command: Command): Command {
  return command.option(
    '--threads <n>',
    'threads of the backend, openblas or wasm (default: as many as there are cores)',
    wholeNumber('--threads', 1, 1024),
  );
}

/** What `createBackend` takes. */
export function threadsOf({ threads }: Pick<BackendOptions, 'threads'>): { readonly threads?: number } {
  return threads === undefined ? {} : { threads };
}

export interface Candidate {
  readonly name: Exclude<(typeof backendNames)[number], 'auto'>;
  /** Whether the backend runs here, in this precision. */
  probe(precision: Precision): ProbeResult | Promise<ProbeResult>;
  /** @param threads the backend's default unless given. */
  create(precision: Precision, threads: { readonly threads?: number }): Backend | Promise<Backend>;
}

/** Those that `auto` chooses from without a measurement, the fastest first. */
export const cpuBackends: readonly Candidate[] = [
  {
    name: 'openblas',
    probe: () => probeOpenBlasBackend(),
    create: (precision, threads) => createOpenBlasBackend({ precision, ...threads }),
  },
  {
    name: 'wasm',
    probe: (precision) =>
      precision === 'f32'
        ? probeWasmBackend()
        : { available: false, reason: `it stores f32 only, --precision is ${precision}` },
    create: (_precision, threads) => createWasmBackend(threads),
  },
  { name: 'plain', probe: probePlainBackend, create: (precision) => createPlainBackend({ precision }) },
];

export const gpuBackend = {
  name: 'webgpu',
  probe: (precision) =>
    precision === 'f32'
      ? probeWebGpuBackend()
      : Promise.resolve({ available: false, reason: `it stores f32 only, --precision is ${precision}` }),
  create: () => createWebGpuBackend(),
} as const satisfies Candidate;

const descriptions = new WeakMap<Backend, string>();

/**
 * The backend of that name; `auto` chooses the fastest on the CPU that runs here and has the precision.
 * @throws UsageError when it is not available, with the reason.
 */
export async function createBackend(
  name: string,
  precision: Precision,
  threads: { readonly threads?: number } = {},
): Promise<Backend> {
  if (!backendNames.some((known) => known === name)) {
    throw new UsageError(`--backend must be one of ${backendNames.join(', ')}, got '${name}'`);
  }
  const skipped: string[] = [];
  for (const candidate of [...cpuBackends, gpuBackend]) {
    if (name === 'auto' ? candidate === gpuBackend : name !== candidate.name) continue;
    const probe = await candidate.probe(precision);
    if (probe.available) {
      const backend = await candidate.create(precision, threads);
      descriptions.set(backend, [`${backend.name} (${probe.detail})`, ...skipped].join('; '));
      return backend;
    }
    if (name === candidate.name)
      throw new UsageError(`--backend ${name} is not available: ${probe.reason}; or use --backend auto`);
    // The reason up to its first semicolon; the remedy is in the error for a backend that was requested by name.
    skipped.push(`not ${candidate.name}: ${probe.reason.replace(/;.*/s, '')}`);
  }
  throw new UsageError('no backend runs here');
}

/**
 * As {@link createBackend}, for training in one process: where `auto` may choose and there is a GPU, both the GPU and
 * the CPU take some steps (half a second), and the faster one trains.
 * @returns the backend, and the name by which a resumed run gets it again.
 */
export async function createTrainingBackend(
  name: string,
  precision: Precision,
  threads: { readonly threads?: number } = {},
): Promise<{ readonly backend: Backend; readonly name: string }> {
  const backend = await createBackend(name, precision, threads);
  if (name !== 'auto') return { backend, name };
  const probe = await gpuBackend.probe(precision);
  if (!probe.available || probe.software) return { backend, name };
  const gpu = await gpuBackend.create();
  const [cpuMs, gpuMs] = [await measureStep(backend), await measureStep(gpu)];
  const [onCpu, onGpu] = [milliseconds(cpuMs), milliseconds(gpuMs)];
  if (gpuMs >= cpuMs) {
    await gpu.dispose();
    descriptions.set(backend, `${describeBackend(backend)}; not webgpu: a trial step takes ${onGpu}, ${onCpu} here`);
    return { backend, name };
  }
  descriptions.set(gpu, `${gpu.name} (${probe.detail}); a trial step takes ${onGpu}, ${onCpu} on ${backend.name}`);
  await backend.dispose();
  return { backend: gpu, name: gpuBackend.name };
}

function milliseconds(value: number): string {
  return `${value.toPrecision(2)} ms`;
}

/** Which backend was chosen and why. */
export function describeBackend(backend: Backend): string {
  return descriptions.get(backend) ?? backend.name;
}

/** @throws UsageError when a checkpoint was not written by `vastmax train`. */
export function precisionFrom({ precision }: JsonObject): Precision {
  if (precision === 'f32' || precision === 'f64') return precision;
  throw new UsageError(
    `this checkpoint's precision is ${JSON.stringify(precision)}, expected f32 or f64; was it written by vastmax train?`,
  );
}
