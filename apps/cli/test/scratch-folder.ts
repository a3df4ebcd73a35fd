import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeToyTexts } from './toy-text.ts';

/** A folder with the toy texts for the tests of one file, gone when they are done. */
export function createScratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vastmax-cli-'));
  writeToyTexts(folder);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
