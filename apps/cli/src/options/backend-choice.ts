/**
 * Only applications choose a backend; this one takes the fastest that runs here, and says why it passed over a faster
 * one.
 */
import type { JsonObject } from '@vastmax/linalg-core/state';
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import {
  createPlainBackend,
  probePlainBackend,
  type Backend,
  type Precision,
  type ProbeResult,
} from '@vastmax/linalg-core';
import { UsageError } from '../terminal/errors.ts';

export const backendNames = ['auto', 'openblas', 'wasm', 'plain'] as const;

/** Of the option `--backend` of every command. */
export const backendHelp =
  'what computes: openblas (a native BLAS), wasm or plain; auto takes the first of them that runs here';

interface Candidate {
  readonly name: string;
  /** Whether it runs here, in this precision. */
  probe(precision: Precision): ProbeResult | Promise<ProbeResult>;
  /** @param threads as many as it likes unless given. */
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
 * The backend of that name; `auto` takes the fastest that runs here and has the precision.
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
  const passedOver: string[] = [];
  for (const candidate of candidates) {
    if (name !== 'auto' && name !== candidate.name) continue;
    const probe = await candidate.probe(precision);
    if (probe.available) {
      const backend = await candidate.create(precision, threads);
      descriptions.set(backend, [`${backend.name} (${probe.detail})`, ...passedOver].join('; '));
      return backend;
    }
    if (name === candidate.name)
      throw new UsageError(`--backend ${name} is not available: ${probe.reason}; or use --backend auto`);
    // What to do about it comes after the first clause, and with the error of asking for it by name.
    passedOver.push(`not ${candidate.name}: ${probe.reason.replace(/;.*/s, '')}`);
  }
  throw new UsageError('no backend runs here');
}

/** Says which was taken and why, for people. */
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
