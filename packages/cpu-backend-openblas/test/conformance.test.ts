import { describeBackend } from '@vastmax/backend-conformance/vitest';
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import type { ProbeResult } from '@vastmax/linalg-core';
import { findLibrary } from '../src/find-library.ts';

const knownFailures = {};

/** Where the library's thread count is its own affair, there is no backend of one thread. */
async function probeOneThread(): Promise<ProbeResult> {
  const { library } = await findLibrary();
  if (library === undefined || library.threads !== undefined) return await probeOpenBlasBackend();
  return { available: false, reason: `the thread count of ${library.path} cannot be set` };
}

for (const precision of ['f32', 'f64'] as const) {
  describeBackend({
    name: `openblas-${precision}`,
    create: () => createOpenBlasBackend({ precision }),
    probe: () => probeOpenBlasBackend(),
    knownFailures,
  });
  describeBackend({
    name: `openblas-${precision}-one-thread`,
    create: () => createOpenBlasBackend({ precision, threads: 1 }),
    probe: probeOneThread,
    knownFailures,
  });
}
