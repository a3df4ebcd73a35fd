import { defineConfig } from 'tsdown';

export default defineConfig({ entry: ['src/index.ts', 'src/state.ts'], dts: true, format: 'esm', platform: 'neutral' });
