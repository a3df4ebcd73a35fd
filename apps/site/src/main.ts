// Builds the site into a static folder, and serves it: `pnpm site`, and `pnpm site:build` without serving.

import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, serve } from 'vitepress';
import { root } from './pages.ts';
import { writeReference } from './reference.ts';

const { values } = parseArgs({
  options: {
    /** Path under which the site will lie, such as `/vastmax/`. */
    base: { type: 'string', default: '/' },
    /** Folder to write to, instead of apps/site/dist; not with `--serve`. */
    out: { type: 'string' },
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '4173' },
  },
});
const site = join(root, 'apps/site');
if (values.serve && values.out !== undefined) throw new Error('--serve serves apps/site/dist: leave --out away');

const out = resolve(values.out ?? join(site, 'dist'));
await writeReference();
await build(site, { base: values.base, outDir: out });
// Its paths are relative, so that it may lie anywhere.
cpSync(join(root, 'apps/playground/dist'), join(out, 'playground'), { recursive: true });
if (values.serve) await serve({ root: site, base: values.base, port: Number(values.port) });
