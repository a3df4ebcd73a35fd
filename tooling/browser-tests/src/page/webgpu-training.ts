// A page that trains a small language model on WebGPU, draws the loss curve during training, and writes the losses as
// JSON to its <output>.

import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { lossPlot } from './loss-plot.ts';
import type { WebGpuTrainingReport } from './report.ts';
import { steps, trainWordModel } from './word-model.ts';

interface PageElement {
  textContent: string;
  innerHTML: string;
  hidden: boolean;
}

interface PageScope {
  readonly document: {
    readonly body: { prepend(element: PageElement): void };
    createElement(name: string): PageElement;
    querySelector(selector: string): PageElement;
  };
  requestAnimationFrame(callback: () => void): void;
}

const { document, requestAnimationFrame } = globalThis as unknown as PageScope;

/** Number of steps between two drawings; each drawing waits for a frame. */
const stepsPerDrawing = 10;

async function train(): Promise<WebGpuTrainingReport> {
  const probe = await probeWebGpuBackend();
  if (!probe.available) return probe;
  const [heading, plot] = [document.createElement('h1'), document.createElement('div')];
  document.body.prepend(plot);
  document.body.prepend(heading);
  const backend = await createWebGpuBackend();
  try {
    const losses = await trainWordModel(backend, async (sofar) => {
      if (sofar.length % stepsPerDrawing !== 0) return;
      heading.textContent = `${backend.name}: step ${sofar.length} of ${steps}, loss ${(sofar.at(-1) ?? 0).toFixed(3)}`;
      plot.innerHTML = lossPlot(sofar, steps);
      await new Promise<void>((resolve) => {
        requestAnimationFrame(resolve);
      });
    });
    return { available: true, name: backend.name, losses, points: plot.innerHTML.match(/[\d.]+,[\d.]+/g)?.length ?? 0 };
  } finally {
    await backend.dispose();
  }
}

const output = document.querySelector('output');
output.hidden = true;
output.textContent = JSON.stringify(await train());
