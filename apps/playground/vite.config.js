// The packages are bundled from their sources, as tests run them: no build before. Paths are relative, so that the page
// may be served under any.
import { defineConfig } from 'vite';
import { responseHeaders } from './response-headers.js';
import { stateOfTheUnion } from './state-of-the-union.js';

export default defineConfig(({ command }) => ({
  base: './',
  resolve: { conditions: ['@vastmax/source', 'module', 'browser', 'import', 'default'] },
  plugins: [stateOfTheUnion()],
  // The worker loads a part when it is needed, which modules can and the default format cannot.
  worker: { format: 'es' },
  build: { target: 'es2023', modulePreload: { polyfill: false }, reportCompressedSize: false },
  preview: { headers: { ...responseHeaders } },
  // While developing Vite puts scripts and styles into the page, which the policy forbids.
  server: {
    headers: Object.fromEntries(
      Object.entries(responseHeaders).filter(([name]) => command === 'build' || !name.startsWith('Content')),
    ),
  },
}));
