/** Chooses the backend of a command: the fastest that runs here unless one is named, and why faster ones do not run. */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
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
import { wholeNumber } from './option-values.ts';

const backendNames = ['auto', 'openblas', 'wasm', 'plain'] as const;

/** Help text of the option `--backend` of every command. */
const backendHelp =
  'compute backend: openblas (a native BLAS), wasm or plain; auto selects the first of them that is available';

export interface BackendOptions {
  readonly backend: string;
  readonly threads?: number;
}

/** `--backend` and `--threads`. */
export function addBackendOptions(command: Command): Command {
  return command
    .addOption(new Option('--backend <name>', backendHelp).choices(backendNames).default('auto'))
    .option(
      '--threads <n>',
      'threads of the backend, openblas or wasm (default: as many as there are cores)',
      wholeNumber('--threads', 1, 1024),
    );
}

/** What `createBackend` takes. */
export function threadsOf({ threads }: Pick<BackendOptions, 'threads'>): { readonly threads?: number } {
  return threads === undefined ? {} : { threads };
}

interface Candidate {
  readonly name: string;
  /** Whether the backend runs here, in this precision. */
  probe(precision: Precision): ProbeResult | Promise<ProbeResult>;
  /** @param threads the backend's default unless given. */
  create(precision: Precision, threads: { readonly threads?: number }): Backend | Promise<Backend>;
}

/** Fastest first. */
const candidates: readonly Candidate[] = [
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

const descriptions = new WeakMap<Backend, string>();

/**
 * The backend of that name; `auto` chooses the fastest that runs here and has the precision.
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
  for (const candidate of candidates) {
    if (name !== 'auto' && name !== candidate.name) continue;
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
