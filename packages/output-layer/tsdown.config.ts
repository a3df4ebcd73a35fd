import { defineConfig } from 'tsdown';

// vitest is a peer dependency, so tsdown leaves its import alone.
export default defineConfig({
  entry: ['src/index.ts', 'src/suite.ts'],
  dts: true,
  format: 'esm',
  sourcemap: true,
  platform: 'neutral',
});
