import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions: ['@vastmax/source', 'module', 'node', 'import', 'default'] },
        ssr: { resolve: { conditions: ['@vastmax/source', 'module', 'node', 'import', 'default'] } },
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'tooling/*/test/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
    ],
  },
});
