import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/main.ts'],
  dts: false,
  format: 'esm',
  sourcemap: true,
  platform: 'node',
  target: 'node20',
  fixedExtension: false,
});
