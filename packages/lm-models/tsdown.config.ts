import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/labels.ts',
    'src/metrics.ts',
    'src/node.ts',
    'src/quantization.ts',
    'src/rates.ts',
    'src/recommenders.ts',
    'src/text.ts',
    'src/distributed.ts',
  ],
  dts: true,
  format: 'esm',
  sourcemap: true,
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
});
