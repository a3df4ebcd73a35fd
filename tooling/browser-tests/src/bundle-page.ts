// Bundles the script of a page as the build of a user's project would: into one file, resolved by `exports` in
// package.json, that is, from dist/.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @throws Error that names what is missing; usually the packages have not been built */
export async function bundlePage(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    // Ignores this package's tsconfig.json, whose conditions would resolve to the sources.
    tsconfigRaw: {},
    write: false,
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild created no output for ${entry.pathname}`);
  return file.text;
}
