import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/factored-parts.ts', 'src/testing.ts'],
  dts: true,
  format: 'esm',
  sourcemap: true,
  platform: 'neutral',
});
