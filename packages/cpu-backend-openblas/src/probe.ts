import type { ProbeResult } from '@vastmax/linalg-core';
import { findLibrary } from './find-library.ts';

export interface OpenBlasProbeOptions {
  /** Path or name of a BLAS library instead of the one that is searched for. */
  readonly library?: string;
}

/**
 * Which library would be used, or why there is none and what to install. Loads the library, some milliseconds at the
 * first call.
 */
export async function probeOpenBlasBackend(options: OpenBlasProbeOptions = {}): Promise<ProbeResult> {
  const found = await findLibrary({ library: options.library });
  return found.library === undefined
    ? { available: false, reason: found.reason }
    : { available: true, detail: found.library.description };
}
