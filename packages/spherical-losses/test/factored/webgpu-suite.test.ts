/**
 * The suite that every output layer must pass, on a GPU: in f32, and with steps that are looked at late. One loss,
 * because the suite's many sizes are what takes time on a GPU in software; webgpu.test.ts trains them all.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { probeSoftwareGpu } from '@vastmax/software-gpu';
import { zLoss } from '@vastmax/spherical-losses';
import { afterAll, it } from 'vitest';
import { factoredSubject } from './layer-subjects.ts';

const probe = await probeSoftwareGpu(probeWebGpuBackend);

if (probe.available) {
  // One for all cases: each would compile every kernel anew.
  const backend = await createWebGpuBackend();
  afterAll(() => backend.dispose());
  const onHost = factoredSubject('factored, Z-loss, on WebGPU', {
    loss: () => zLoss({ a: 0.3, b: 4 }),
    reference: { name: 'z-loss', a: 0.3, b: 4 },
  });
  describeOutputLayer({ ...onHost, backend: () => backend });
} else {
  const { reason } = probe;
  it('output layer: factored, Z-loss, on WebGPU', ({ skip }) => {
    if (requiredBackends().has('webgpu-dawn'))
      throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${reason}`);
    skip(`unavailable: ${reason}`);
  });
}
