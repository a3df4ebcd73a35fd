// A share of what `bench hostile` does, of each kind of file: whatever the damage, a file opens or is refused with an
// error of its own kind. The command watches time and memory too.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damage, hostileKinds } from '../../src/hostile/damage.ts';
import type { Files } from '../../src/hostile/memory-source.ts';
import { openDamaged } from '../../src/hostile/open-damaged.ts';
import { hostileTables } from '../../src/hostile/report.ts';
import { createSeedCheckpoints } from '../../src/hostile/seed-checkpoints.ts';
import { seedTexts } from '../../src/hostile/seed-texts.ts';
import { isTyped } from '../../src/hostile/typed-errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-hostile-test-'));
const path = join(folder, 'file');
let checkpoints: ReadonlyMap<string, Files> = new Map();
beforeAll(async () => {
  checkpoints = await createSeedCheckpoints();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('files that nobody has damaged', () => {
  it('open', async () => {
    expect(checkpoints.size).toBe(13);
    for (const [name, files] of checkpoints) await openDamaged({ kind: 'checkpoint', name, files }, path);
    for (const [kind, files] of Object.entries(seedTexts))
      for (const [at, bytes] of files.entries())
        await openDamaged(
          {
            kind: kind as keyof typeof seedTexts,
            extension: kind === 'text' ? (['.txt', '.gz', '.br'][at] ?? '') : '',
            bytes,
          },
          path,
        );
  });
});

describe('damaged files', () => {
  it.each(hostileKinds)('of the kind %s open, or are refused with a typed error', async (kind) => {
    let opened = 0;
    let refused = 0;
    const mutations = kind === 'checkpoint' ? 400 : 100;
    for (let number = 0; number < mutations; number++) {
      try {
        await openDamaged(damage(7, number, checkpoints, [kind]), path);
        opened++;
      } catch (error) {
        if (!isTyped(error)) throw new Error(`mutation ${number} of seed 7`, { cause: error });
        refused++;
      }
    }
    expect(opened).toBeGreaterThan(2);
    expect(refused).toBeGreaterThan(25);
  });

  it('are the same for a seed and a number', () => {
    for (let number = 0; number < 50; number++)
      expect(damage(2, number, checkpoints, hostileKinds)).toEqual(damage(2, number, checkpoints, hostileKinds));
  });
});

describe('the table', () => {
  it('says how a finding is repeated', () => {
    const table = hostileTables({
      mutations: 10,
      opened: 4,
      refused: 6,
      untyped: 1,
      hung: 0,
      overrun: 0,
      largestResidentBytes: 1_500_000,
      seed: 3,
      seconds: 2,
      findings: [{ number: 8, kind: 'csv', detail: 'untyped: TypeError: x' }],
    });
    expect(table).toContain('--seed 3 --first 8 --mutations 1: csv untyped: TypeError: x');
    expect(table).toContain('1.5');
  });
});
