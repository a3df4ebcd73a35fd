import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './tooling/test-reporting/src/closing-line-reporter.ts';

// Tests of the sources need no build: the workspace packages resolve to their src/ by this condition.
const conditions = ['@vastmax/source', 'module', 'node', 'import', 'default'];
// A test that takes so long hangs. Nothing else may depend on the machine's speed, so that a busy one passes too; what
// is a bound in time belongs to a bench.
const hang = 1_200_000;
const limits = { testTimeout: hang, hookTimeout: hang };
const setupFiles = ['./tooling/test-reporting/src/fail-on-console.ts', './tooling/test-reporting/src/property-seed.ts'];

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLineReporter()],
    teardownTimeout: hang,
    // One core is not kept free, as vitest would: on two cores that is half the machine.
    maxWorkers: '100%',
    projects: [
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: 'unit',
          include: ['{packages,apps,tooling}/*/test/**/*.test.ts'],
          exclude: [
            'tooling/package-tests/test/published/**',
            'tooling/browser-tests/test/browser/**',
            '**/fixtures/**',
            '**/node_modules/**',
          ],
          setupFiles,
          ...limits,
        },
      },
      {
        // What users get: the built declarations, and the packed packages installed into a scratch project.
        test: {
          name: 'dist',
          include: ['tooling/package-tests/test/published/**/*.test.ts'],
          setupFiles,
          ...limits,
        },
      },
      {
        // The built packages again, bundled into a page of a headless Chromium, and beside it in Node.
        test: {
          name: 'browser',
          include: ['tooling/browser-tests/test/browser/**/*.test.ts'],
          setupFiles,
          ...limits,
        },
      },
    ],
  },
});
