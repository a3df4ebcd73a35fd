import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './tooling/test-reporting/src/closing-line-reporter.ts';
import { longestFiles, LongestFirst } from './tooling/test-reporting/src/longest-first.ts';

// Tests of the sources need no build: the workspace packages resolve to their src/ by this condition.
const conditions = ['@vastmax/source', 'module', 'node', 'import', 'default'];
// A test that takes so long hangs. Nothing else may depend on the machine's speed, so that a busy one passes too; what
// is a bound in time belongs to a bench.
const hang = 1_200_000;
const limits = { testTimeout: hang, hookTimeout: hang };
// The software GPU would use all cores by itself; SwiftShader.ini gives each process one thread of it.
const usesGpu = [
  'packages/gpu-backend-webgpu/test/**/*.test.ts',
  'packages/*/test/**/{webgpu*,lost-device}.test.ts',
  'apps/*/test/webgpu/**/*.test.ts',
];
// Tests of the built packages: one of them is among the longest files too.
const published = ['tooling/package-tests/test/published/**/*.test.ts'];
// The site is built once, by the file that tests it.
const builtSite = ['apps/site/test/built/**/*.test.ts'];
// Starting a process and loading the sources takes longer than most files' tests, so files share a process for each
// core (`isolate: false`). These do not:
const isolated = [
  // A module that they mock may have been loaded by another file.
  'packages/checkpoints/test/{crash,storages}.test.ts',
  // It counts the memory of the process.
  'packages/linalg-core/test/host-table.test.ts',
  // They take so long that a process costs little, and begin first.
  ...longestFiles,
];
const oneAtATime = { maxWorkers: 1, sequence: { groupOrder: 0 } };
// No core is kept free, as vitest would by itself: of two that would be half the machine.
const onAllCores = { maxWorkers: '100%', sequence: { groupOrder: 1 } };
const setupFiles = ['./tooling/test-reporting/src/fail-on-console.ts', './tooling/test-reporting/src/property-seed.ts'];

export default defineConfig({
  test: {
    globalSetup: './tooling/test-programs/src/program-folder.ts',
    reporters: ['default', new ClosingLineReporter()],
    teardownTimeout: hang,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: 'unit',
          include: ['{packages,apps,tooling}/*/test/**/*.test.ts'],
          exclude: [
            ...published,
            ...builtSite,
            'tooling/browser-tests/test/browser/**',
            '**/fixtures/**',
            '**/node_modules/**',
            ...usesGpu,
            ...isolated,
          ],
          isolate: false,
          setupFiles,
          ...limits,
          ...onAllCores,
        },
      },
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: 'unit-isolated',
          include: isolated,
          exclude: [...published, ...builtSite, ...usesGpu],
          setupFiles,
          ...limits,
          ...onAllCores,
        },
      },
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: { name: 'webgpu', include: usesGpu, setupFiles, ...limits, ...onAllCores },
      },
      {
        // What users get: the built declarations, and the packed packages installed into a scratch project.
        test: {
          name: 'dist',
          include: [...published, ...builtSite],
          setupFiles,
          ...limits,
          ...onAllCores,
        },
      },
      {
        // The built packages again, bundled into a page of a headless Chromium, and beside it in Node.
        test: {
          name: 'browser',
          include: ['tooling/browser-tests/test/browser/**/*.test.ts'],
          setupFiles,
          ...limits,
          ...oneAtATime,
        },
      },
    ],
  },
});
