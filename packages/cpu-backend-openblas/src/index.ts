export {
  createOpenBlasBackend,
  probeOpenBlasBackend,
  type OpenBlasBackendOptions,
  type OpenBlasProbeOptions,
} from './create-backend.ts';
