/**
 * The machine's own GPU, or where it has none the one in software: what is right is right on both, what is fast is not.
 */
import { probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import type { ProbeResult } from '@vastmax/linalg-core';
import { probeSoftwareGpu } from '@vastmax/software-gpu';
import { BenchError } from '../measurement/bench-error.ts';

export interface GpuInUse {
  /** `software`: SwiftShader, where only counts and ratios mean something. */
  readonly kind: 'machine' | 'software';
  /** The adapter, as its driver calls it. */
  readonly detail: string;
}

/** The same as a probe; `forced` asks for the one in software even where there is another. */
export async function probeGpu(forced: boolean): Promise<ProbeResult & { readonly kind?: GpuInUse['kind'] }> {
  if (!forced) {
    const machine = await probeWebGpuBackend();
    if (machine.available) return { ...machine, kind: 'machine' };
  }
  const software = await probeSoftwareGpu(probeWebGpuBackend);
  return software.available ? { ...software, kind: 'software' } : software;
}

/** @throws BenchError `unavailable` with the reason */
export async function findGpu(forced: boolean): Promise<GpuInUse> {
  const probe = await probeGpu(forced);
  if (!probe.available) throw new BenchError('unavailable', `there is no WebGPU here: ${probe.reason}`);
  return { kind: probe.kind ?? 'machine', detail: probe.detail };
}
