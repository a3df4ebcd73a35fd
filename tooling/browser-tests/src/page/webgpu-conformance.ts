// Runs the conformance suite in a page, with the WebGPU of the browser, and writes the outcomes as JSON to the <output>
// of the page.

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
