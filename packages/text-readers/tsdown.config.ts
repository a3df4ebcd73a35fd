import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', node: 'src/node.ts', 'parquet-worker': 'src/node/parquet-worker.ts' },
  dts: true,
  format: 'esm',
  sourcemap: true,
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
});
