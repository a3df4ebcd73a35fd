import { findMpi } from './find-mpi.ts';

export interface MpiProbeOptions {
  /** Path or name of an MPI library instead of the one that is searched for. */
  readonly library?: string;
}

/** As the probes of backends answer. */
export type MpiProbeResult =
  { readonly available: true; readonly detail: string } | { readonly available: false; readonly reason: string };

/**
 * Which MPI library would be used, or why there is none and what to install. Loads the library and does not initialise
 * it.
 */
export async function probeMpi(options: MpiProbeOptions = {}): Promise<MpiProbeResult> {
  const found = await findMpi({ library: options.library });
  return found.library === undefined
    ? { available: false, reason: found.reason }
    : { available: true, detail: `${found.library.version}, ${found.library.path}` };
}
