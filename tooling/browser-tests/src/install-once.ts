// Fills a folder exactly once, although several processes may try at the same time, and no process must see a partly
// filled folder. Each process fills a temporary folder beside it and renames that. The first rename succeeds; the other
// processes delete their temporary folder.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Resolves when `folder` exists with everything that `fill` wrote to the folder it was given. `fill` is not called if
 * `folder` already exists.
 */
export async function installOnce(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const own = await mkdtemp(`${folder}-`);
  try {
    await fill(own);
    await rename(own, folder);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
