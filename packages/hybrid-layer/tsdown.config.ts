import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/layer-parts.ts'],
  dts: true,
  format: 'esm',
  sourcemap: true,
  platform: 'neutral',
});
