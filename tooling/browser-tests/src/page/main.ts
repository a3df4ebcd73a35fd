// The script of the page: creates a backend for each `threads` in the URL, trains on each, and writes the report to the
// <output> of the page.

import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { isLinalgError } from '@vastmax/linalg-core';
import type { BackendRun, PageReport, ThreadsAsked } from './report.ts';
import { train } from './training.ts';

/** The part of the DOM that is used here. The DOM types themselves would be visible in all packages. */
interface PageScope {
  readonly document: { querySelector(selector: string): { textContent: string } };
  readonly location: { readonly hash: string };
  readonly navigator: { readonly hardwareConcurrency: number };
  readonly crossOriginIsolated: boolean;
}

const { document, location, navigator, crossOriginIsolated } = globalThis as unknown as PageScope;

async function run(threads: ThreadsAsked): Promise<BackendRun> {
  try {
    const backend = await createWasmBackend(threads === 'default' ? {} : { threads });
    try {
      return { threads, name: backend.name, training: await train(backend) };
    } finally {
      await backend.dispose();
    }
  } catch (error) {
    return { threads, error: { code: isLinalgError(error) ? error.code : undefined, message: String(error) } };
  }
}

const before = probeWasmBackend();
const runs: BackendRun[] = [];
for (const text of new URLSearchParams(location.hash.slice(1)).getAll('threads'))
  runs.push(await run(text === 'default' ? text : Number(text)));
const report: PageReport = {
  crossOriginIsolated,
  cores: navigator.hardwareConcurrency,
  probes: [before, probeWasmBackend()],
  runs,
};
document.querySelector('output').textContent = JSON.stringify(report);
