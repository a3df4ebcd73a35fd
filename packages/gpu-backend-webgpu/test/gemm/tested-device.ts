/**
 * The device of the tests, or the reason there is none: unavailable is not passed, and is a failure where it is
 * required.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import { createDawnDevice } from './dawn-device.ts';

const found = await createDawnDevice().then(
  (device) => ({ device, reason: '' }),
  (error: unknown) => ({ device: undefined, reason: String(error) }),
);
const required = requiredBackends().has('webgpu-dawn');

export function testedDevice(skip: (reason: string) => never): GPUDevice {
  if (found.device !== undefined) return found.device;
  if (required) throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${found.reason}`);
  return skip(`unavailable: ${found.reason}`);
}
