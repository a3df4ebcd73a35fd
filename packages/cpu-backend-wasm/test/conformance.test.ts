import { describeBackend } from '@vastmax/backend-conformance/vitest';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createVariant } from '../src/create-wasm-backend.ts';

describeBackend({
  name: 'wasm-f32',
  create: () => createWasmBackend(),
  probe: probeWasmBackend,
  knownFailures: {},
});

describeBackend({
  name: 'wasm-f32-tables-in-host-memory',
  create: () => createVariant({ threads: 1, relaxed: false, maxTableBytes: 0 }),
  probe: probeWasmBackend,
  knownFailures: {},
});

// One, and more than the machines of most people who run this have cores to spare.
for (const threads of [1, 3]) {
  describeBackend({
    name: `wasm-f32-threads-${threads}`,
    create: () => createWasmBackend({ threads }),
    probe: probeWasmBackend,
    knownFailures: {},
  });
}
