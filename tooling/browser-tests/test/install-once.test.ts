import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installOnce } from '../src/install-once.ts';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'vastmax-install-'));
  folder = join(parent, 'not/yet/there');
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

const files = (): string[] =>
  readdirSync(parent, { recursive: true })
    .map(String)
    .filter((name) => name.includes('there'))
    .sort();

describe('installOnce', () => {
  it('shows the folder when all of it is there', async () => {
    await installOnce(folder, async (own) => {
      await writeFile(join(own, 'first'), '');
      expect(existsSync(folder)).toBe(false);
      await writeFile(join(own, 'second'), '');
    });
    expect(files()).toEqual(['not/yet/there', 'not/yet/there/first', 'not/yet/there/second']);
  });

  it('fills it once', async () => {
    let calls = 0;
    const fill = async (): Promise<void> => {
      calls++;
      await Promise.resolve();
    };
    await installOnce(folder, fill);
    await installOnce(folder, fill);
    expect(calls).toBe(1);
  });

  it('lets one of several at the same time win, and leaves nothing of the others', async () => {
    const fillers = ['a', 'b', 'c'].map((name) => installOnce(folder, (own) => writeFile(join(own, 'by'), name)));
    await Promise.all(fillers);
    expect(files()).toEqual(['not/yet/there', 'not/yet/there/by']);
  });

  it('leaves nothing when filling fails, and says why', async () => {
    await expect(installOnce(folder, () => Promise.reject(new Error('no space left')))).rejects.toThrow(
      'no space left',
    );
    expect(files()).toEqual([]);
  });
});
