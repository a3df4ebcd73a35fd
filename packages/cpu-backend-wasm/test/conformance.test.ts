import { describeBackend } from '@vastmax/backend-conformance/vitest';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';

describeBackend({
  name: 'wasm-f32',
  create: () => createWasmBackend(),
  probe: probeWasmBackend,
  knownFailures: {},
});
