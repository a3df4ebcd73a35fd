import { conformanceCases, requiredBackends } from '@vastmax/backend-conformance';
import { describeBackend } from '@vastmax/backend-conformance/vitest';
import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { probeSoftwareGpu } from '@vastmax/software-gpu';

describeBackend({
  name: 'webgpu-dawn',
  create: () => createWebGpuBackend(),
  probe: () => probeSoftwareGpu(probeWebGpuBackend),
  knownFailures: {},
});

// The same device with tables in many buffers, and with tables on the host: what concerns rows, again.
const aboutRows = conformanceCases.filter(({ id }) =>
  /^(table|gather-rows|scatter-rows|scatter-add-rows|order|guard|dispose|memory)\//.test(id),
);
const pieceBytes = 2 ** 22;
const required = new Set(
  requiredBackends().has('webgpu-dawn') ? ['webgpu-dawn-pieces', 'webgpu-dawn-host-tables'] : [],
);

describeBackend(
  {
    name: 'webgpu-dawn-pieces',
    create: () => createWebGpuBackend({ tables: 'device', limits: { maxBufferSize: pieceBytes } }),
    probe: () => probeSoftwareGpu(probeWebGpuBackend),
    tablePieceBytes: pieceBytes,
  },
  { cases: aboutRows, required },
);

describeBackend(
  {
    name: 'webgpu-dawn-host-tables',
    create: () => createWebGpuBackend({ tables: 'host' }),
    probe: () => probeSoftwareGpu(probeWebGpuBackend),
  },
  { cases: aboutRows, required },
);
