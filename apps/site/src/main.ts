// Builds the site into a static folder, and serves it: `pnpm site`, and `pnpm site:build` without serving.

import { parseArgs } from 'node:util';
import { join, resolve } from 'node:path';
import { build, serve } from 'vitepress';
import { root } from './pages.ts';
import { writeReference } from './reference.ts';

const { values } = parseArgs({
  options: {
    /** Path under which the site will lie, such as `/vastmax/`. */
    base: { type: 'string', default: '/' },
    /** Folder to write to. */
    out: { type: 'string', default: 'apps/site/dist' },
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '4173' },
  },
});
const site = join(root, 'apps/site');

await writeReference();
await build(site, { base: values.base, outDir: resolve(values.out) });
if (values.serve) await serve({ root: site, base: values.base, port: Number(values.port) });
