// The built page: where it is, how it is built, and how large its scripts are.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Where the page is built. */
export const pageFolder = join(import.meta.dirname, 'dist');

/** @returns {Promise<void>} */
export async function buildPage() {
  // Here, so that a bundle that holds this file finds Vite only when it builds.
  const { build } = await import('vite');
  await build({ root: import.meta.dirname, logLevel: 'error' });
}

/**
 * Of each file of the built page, compressed as servers do.
 *
 * @returns {{ name: string; bytes: number }[]}
 */
export function compressedFiles() {
  return readdirSync(pageFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ name, bytes: gzipSync(readFileSync(join(parentPath, name))).length }));
}

/**
 * Of all JavaScript of the built page, that of the worker and of WebGPU too.
 *
 * @returns {number}
 */
export function compressedScriptBytes() {
  return compressedFiles()
    .filter(({ name }) => name.endsWith('.js'))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}
