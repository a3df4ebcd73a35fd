import { createWasmBackend, matrixView, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import {
  createPlainBackend,
  hostArray,
  LinalgError,
  type Backend,
  type Precision,
  type ProbeResult,
} from '@vastmax/linalg-core';
import type { BlasLibrary } from './blas-library.ts';
import { findLibrary } from './find-library.ts';
import { composeBackend, type InnerBackend } from './openblas-backend.ts';
import { createSharedProducts } from './shared-products.ts';
import { checkThreadCount, chooseThreadCount } from './thread-count.ts';

/** Precision, number of threads, and where the library is; all are found out unless given. */
export interface OpenBlasBackendOptions {
  /** Default 'f32'. */
  readonly precision?: Precision;
  /** Thread count of the BLAS, which is shared by the whole process; the number of cores unless given. */
  readonly threads?: number;
  /** Path or name of a BLAS library, instead of the environment variable VASTMAX_BLAS_LIBRARY and the search list. */
  readonly library?: string;
}

/**
 * A backend whose products and small systems are computed by a native BLAS and LAPACK, everything else by the wasm
 * backend (f32) or the plain one (f64). Node only. Loads the library at the first call, which takes some milliseconds.
 * @throws LinalgError `device-lost` when there is no BLAS library, with what to install; `bad-option` for an invalid
 * precision, thread count or library
 */
export async function createOpenBlasBackend(options: OpenBlasBackendOptions = {}): Promise<Backend> {
  const { precision = 'f32', threads } = options;
  if (precision !== 'f32' && precision !== 'f64') {
    throw new LinalgError(
      'bad-option',
      `createOpenBlasBackend: precision must be 'f32' or 'f64', got '${String(precision)}'`,
    );
  }
  checkThreadCount(threads);
  const found = await findLibrary({ library: options.library });
  if (found.library === undefined) {
    throw new LinalgError(found.named ? 'bad-option' : 'device-lost', `createOpenBlasBackend: ${found.reason}`);
  }
  const { library } = found;
  const count = chooseThreadCount(library, threads);
  return composeBackend(await createInnerBackend(precision, library, count), library, count);
}

async function createInnerBackend(
  precision: Precision,
  library: BlasLibrary,
  threads: number | undefined,
): Promise<InnerBackend> {
  if (precision === 'f32' && probeWasmBackend().available) {
    const shared = threads === undefined || threads < 2 ? undefined : await createSharedProducts(library, threads);
    if (shared !== undefined) return { backend: shared.backend, view: matrixView, shared };
    const oneThread = { precision: 'f32', threads: 1 } as const;
    return { backend: await createWasmBackend(oneThread), view: matrixView };
  }
  return { backend: createPlainBackend({ precision }), view: hostArray };
}

/** Where the library is, if not where it is looked for. */
export interface OpenBlasProbeOptions {
  /** Path or name of a BLAS library instead of the one that is searched for. */
  readonly library?: string;
}

/**
 * Which library would be used, or why there is none and what to install. Loads the library at the first call, which
 * takes some milliseconds.
 */
export async function probeOpenBlasBackend(options: OpenBlasProbeOptions = {}): Promise<ProbeResult> {
  const found = await findLibrary({ library: options.library });
  return found.library === undefined
    ? { available: false, reason: found.reason }
    : { available: true, detail: found.library.description };
}
