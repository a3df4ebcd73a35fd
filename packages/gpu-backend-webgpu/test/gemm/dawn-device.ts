/**
 * A device of Dawn for the plans alone, without the backend that will run them; skipped or required as its conformance
 * is.
 */
import { loadSoftwareGpu } from '@vastmax/software-gpu';

export interface DawnDevice {
  readonly device: GPUDevice;
  /** What the driver calls the adapter. */
  readonly adapter: string;
}

/** All of them, since Dawn crashes when one is collected. */
const instances: GPU[] = [];

async function findAdapter(): Promise<GPUAdapter | null> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  instances.push(gpu);
  return await gpu.requestAdapter({ powerPreference: 'high-performance' });
}

/**
 * With the limits that every device has.
 * @param preference 'machine': its own GPU, where it has one
 * @throws Error saying why there is none
 */
export async function createDawnDevice(preference: 'software' | 'machine'): Promise<DawnDevice> {
  let adapter = preference === 'machine' ? await findAdapter() : null;
  if (adapter === null) {
    await loadSoftwareGpu();
    adapter = await findAdapter();
  }
  if (adapter === null) throw new Error('Dawn finds no adapter');
  const { description, device, vendor } = adapter.info;
  return { device: await adapter.requestDevice(), adapter: description || device || vendor };
}
