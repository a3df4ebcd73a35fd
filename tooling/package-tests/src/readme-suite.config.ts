// The vitest configuration for README blocks that are test files: only the source condition of vitest.config.ts.

import { defineConfig } from 'vitest/config';

const conditions = ['@vastmax/source', 'module', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['**/*.test.ts'], exclude: [] },
});
