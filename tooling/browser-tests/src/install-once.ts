// A folder that several processes may want to fill at the same time, and of which none may see a half: each fills one
// of its own beside it and renames that, the first wins, and the others throw theirs away.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Resolves when `folder` is there with all that `fill` puts into the folder it is given; `fill` is not called when it
 * was there before.
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
