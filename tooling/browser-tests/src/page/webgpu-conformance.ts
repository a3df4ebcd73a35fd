// The conformance suite in a page: every case on the browser's own WebGPU, and the outcomes as JSON into the page's
// <output>.

import { checkBackend } from '@vastmax/backend-conformance';
import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';

const { document } = globalThis as unknown as {
  readonly document: { querySelector(selector: string): { textContent: string } };
};

const report = await checkBackend({
  name: 'webgpu-chromium',
  create: () => createWebGpuBackend(),
  probe: () => probeWebGpuBackend(),
});
document.querySelector('output').textContent = JSON.stringify(report);
