/**
 * A test that needs a GPU. As with conformance, unavailable is not passed: it is skipped with the reason, or fails
 * where REQUIRE_BACKENDS names webgpu-dawn.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import {
  createWebGpuBackend,
  probeWebGpuBackend,
  type WebGpuBackend,
  type WebGpuBackendOptions,
} from '@vastmax/gpu-backend-webgpu';
import { probeSoftwareGpu } from '@vastmax/software-gpu';
import { it } from 'vitest';

/** @param body gets what makes backends, which are disposed afterwards */
export function gpuTest(
  name: string,
  body: (create: (options?: WebGpuBackendOptions) => Promise<WebGpuBackend>) => Promise<void>,
): void {
  it(name, async ({ skip }) => {
    const probe = await probeSoftwareGpu(probeWebGpuBackend);
    if (!probe.available) {
      if (requiredBackends().has('webgpu-dawn'))
        throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${probe.reason}`);
      skip(`unavailable: ${probe.reason}`);
    }
    const created: WebGpuBackend[] = [];
    try {
      await body(async (options) => {
        const backend = await createWebGpuBackend(options);
        created.push(backend);
        return backend;
      });
    } finally {
      for (const backend of created) await backend.dispose();
    }
  });
}

/** Seeded, in [-1, 1). */
export function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 2 ** 30 - 1;
  });
}
