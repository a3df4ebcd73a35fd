import { createPlainBackend, probePlainBackend } from '@vastmax/linalg-core';
import { describeBackend } from '../src/vitest.ts';

describeBackend({
  name: 'plain-f32',
  create: () => createPlainBackend({ precision: 'f32' }),
  probe: probePlainBackend,
});
describeBackend({
  name: 'plain-f64',
  create: () => createPlainBackend({ precision: 'f64' }),
  probe: probePlainBackend,
});
