export { createOpenBlasBackend, type OpenBlasBackendOptions } from './create-backend.ts';
export { probeOpenBlasBackend, type OpenBlasProbeOptions } from './probe.ts';
