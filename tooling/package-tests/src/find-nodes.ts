// The Nodes that the workflow names, as far as they are at hand: the running one, and others from the npm packages of
// Node's own binaries. Those have 45 MB each to download, so only CI fetches them, once per clone, into
// node_modules/.cache of this package.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './published-packages.ts';

/** A release line of Node: its executable, or the reason why there is none. */
export type FoundNode =
  { readonly major: number; readonly executable: string } | { readonly major: number; readonly missing: string };

const cache = resolve(import.meta.dirname, '../node_modules/.cache');

/** The release lines in the matrix of the workflow `check`. */
export function namedNodes(): number[] {
  const workflow = readFileSync(join(root, '.github/workflows/check.yml'), 'utf8');
  const [, list] = /^\s*node: \[([\d, ]+)\]$/m.exec(workflow) ?? [];
  if (list === undefined) throw new Error('.github/workflows/check.yml has no line `node: [20, …]`');
  return list.split(',').map(Number);
}

/** Finds the Node of a release line; never throws. */
export function findNode(major: number): FoundNode {
  if (process.versions.node.startsWith(`${major}.`)) return { major, executable: process.execPath };
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(cache, `${name}-${major}`);
  const executable = join(folder, 'package/bin/node');
  if (existsSync(executable)) return { major, executable };
  if (process.env['CI'] === undefined)
    return { major, missing: `Node ${major} is not at hand; with CI=1 the test fetches it from npm` };
  try {
    fetchBinary(`${name}@${major}`, folder);
    return { major, executable };
  } catch (error) {
    return { major, missing: `${name}@${major} could not be fetched from npm: ${String(error)}` };
  }
}

function fetchBinary(specifier: string, folder: string): void {
  mkdirSync(cache, { recursive: true });
  const own = mkdtempSync(`${folder}-`);
  try {
    execFileSync('npm', ['pack', '--silent', '--prefer-offline', specifier], { cwd: own, stdio: 'pipe' });
    const [tarball = ''] = readdirSync(own);
    execFileSync('tar', ['-xzf', tarball, 'package/bin/node'], { cwd: own, stdio: 'pipe' });
    rmSync(join(own, tarball));
    renameSync(own, folder);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    throw error;
  }
}
