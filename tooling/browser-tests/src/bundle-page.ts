// The page's script as the build of a user's own project makes it: one file, from what package.json says under
// `exports`, so from dist/.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @throws Error naming what is not there; mostly that the packages have not been built */
export async function bundlePage(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    // Without this package's tsconfig.json, whose conditions would find the sources.
    tsconfigRaw: {},
    write: false,
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild made no file of ${entry.pathname}`);
  return file.text;
}
