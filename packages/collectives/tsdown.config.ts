import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts'],
  dts: true,
  // For users whose `lib` does not have it: declarations name Disposable.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
  format: 'esm',
  sourcemap: true,
  platform: 'node',
  fixedExtension: false,
});
