/** The backends of the table, in its order: each with what checks it, in this process, or in a browser's. */
import { resolve } from 'node:path';
import {
  type BackendUnderTest,
  checkBackend,
  type CheckReport,
  type ConformanceCase,
  conformanceCases,
  findAvailability,
} from '@vastmax/backend-conformance';
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { createPlainBackend, probePlainBackend } from '@vastmax/linalg-core';
import { jsonOf } from '../measurement/child-program.ts';
import { probeGpu } from '../webgpu/gpu-in-use.ts';

export interface CheckedBackend {
  /** What it is here: threads, library, adapter; undefined where it is unavailable. */
  readonly detail?: string;
  readonly report: CheckReport;
}

const inThisProcess: readonly BackendUnderTest[] = [
  { name: 'plain-f32', create: () => createPlainBackend({ precision: 'f32' }), probe: probePlainBackend },
  { name: 'plain-f64', create: () => createPlainBackend({ precision: 'f64' }), probe: probePlainBackend },
  { name: 'wasm-f32', create: () => createWasmBackend(), probe: probeWasmBackend },
  {
    name: 'openblas-f32',
    create: () => createOpenBlasBackend({ precision: 'f32' }),
    probe: () => probeOpenBlasBackend(),
  },
  {
    name: 'openblas-f64',
    create: () => createOpenBlasBackend({ precision: 'f64' }),
    probe: () => probeOpenBlasBackend(),
  },
  { name: 'webgpu-dawn', create: () => createWebGpuBackend(), probe: () => probeGpu(false) },
];
const inChromium = 'webgpu-chromium';

export const backendsUnderTest: readonly string[] = [...inThisProcess.map(({ name }) => name), inChromium];

/** Unavailable is an outcome here, never a failure. @param name of backendsUnderTest */
export async function checkNamed(name: string, cases: readonly ConformanceCase[]): Promise<CheckedBackend> {
  const required: ReadonlySet<string> = new Set();
  const subject = inThisProcess.find((one) => one.name === name);
  if (subject === undefined) return await checkInChromium(cases);
  const availability = await findAvailability(subject, required);
  const report = await checkBackend(subject, { cases, required });
  return availability.available ? { detail: availability.detail, report } : { report };
}

/** The page checks all cases; it is a bundle of the built packages. */
async function checkInChromium(cases: readonly ConformanceCase[]): Promise<CheckedBackend> {
  const printed = await jsonOf<CheckReport>(
    resolve(import.meta.dirname, '../../../../tooling/browser-tests/src/print-conformance.ts'),
    [],
  );
  if ('failure' in printed) return { report: unavailable(`the check in Chromium failed: ${printed.failure}`) };
  if (printed.status === 'unavailable') return { report: unavailable(printed.reason ?? 'no reason was given') };
  const ids = new Set(printed.outcomes.map(({ id }) => id));
  if (conformanceCases.some(({ id }) => !ids.has(id)) || ids.size !== conformanceCases.length) {
    return { report: unavailable('the built packages have other cases than their sources; pnpm build, and again') };
  }
  const outcomes = printed.outcomes.filter(({ id }) => cases.some((one) => one.id === id));
  return { detail: 'a headless Chromium, its WebGPU on SwiftShader', report: { ...printed, outcomes } };
}

function unavailable(reason: string): CheckReport {
  return { name: inChromium, status: 'unavailable', reason, outcomes: [] };
}
