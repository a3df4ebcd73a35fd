import { defineConfig } from 'vitest/config';

// For README blocks that are test files themselves: the same source condition as vitest.config.ts, nothing else.
const conditions = ['@vastmax/source', 'module', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['**/*.test.ts'], exclude: [] },
});
