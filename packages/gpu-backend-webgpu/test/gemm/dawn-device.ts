/**
 * A device of Dawn for the plans alone, without the backend that will run them; skipped or required as its conformance
 * is.
 */
import { loadSoftwareGpu } from '@vastmax/software-gpu';

/** All of them, since Dawn crashes when one is collected. */
const instances: GPU[] = [];

async function findAdapter(): Promise<GPUAdapter | null> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  instances.push(gpu);
  return await gpu.requestAdapter({ powerPreference: 'high-performance' });
}

/** SwiftShader's, with the limits that every device has. @throws Error saying why there is none */
export async function createDawnDevice(): Promise<GPUDevice> {
  await loadSoftwareGpu();
  const adapter = await findAdapter();
  if (adapter === null) throw new Error('Dawn finds no adapter');
  return await adapter.requestDevice();
}
