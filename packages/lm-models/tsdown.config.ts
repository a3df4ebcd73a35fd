import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/distributed.ts',
    'src/labels.ts',
    'src/metrics.ts',
    'src/node.ts',
    'src/rates.ts',
    'src/text.ts',
  ],
  dts: true,
  format: 'esm',
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
});
