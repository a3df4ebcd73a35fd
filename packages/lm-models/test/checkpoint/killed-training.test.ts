// Training that is killed at fifty random moments, among them those of writing a checkpoint, ends with the bits of
// training that was left alone. The killed program is bundled first: it starts fifty times.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readEverything } from '@vastmax/checkpoints/testing';
import { bundleProgram } from '@vastmax/test-programs';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-killed-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Life {
  readonly killed: boolean;
  /** Checkpoints that it said were done. */
  readonly saved: number;
}

/** One process; killed at a random moment after the `nth` line, if it lives that long. */
async function live(program: string, directory: string, nth: number): Promise<Life> {
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints += String(text);
  });
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length === nth) setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
  }
  await closed;
  const killed = child.signalCode === 'SIGKILL';
  expect({ complaints, end: killed ? 'killed' : child.exitCode, last: killed ? '' : said.at(-1) }).toEqual({
    complaints: '',
    end: killed ? 'killed' : 0,
    last: killed ? '' : 'done',
  });
  return { killed, saved: said.filter((line) => line === 'saved').length };
}

it('training killed fifty times at random moments resumes to the final weights of training left alone, bit for bit', async () => {
  const program = fileURLToPath(await bundleProgram(new URL('fixtures/train-until-killed.ts', import.meta.url)));
  expect(await live(program, join(folder, 'alone'), Infinity)).toMatchObject({ killed: false });
  const expected = await readEverything(join(folder, 'alone'));
  expect(expected).toMatchObject({ configuration: { step: 6000, examples: 48_000 } });

  let kills = 0;
  let saved = 0;
  // A run that ends before its fiftieth kill is compared, and another is begun.
  for (let run = 0; kills < 50; run++) {
    const directory = join(folder, `run-${run}`);
    for (let life = { killed: true, saved: 0 }; life.killed;) {
      life = await live(program, directory, kills < 50 ? 1 + (kills % 3 === 0 ? 0 : 1) : Infinity);
      saved += life.saved;
      if (life.killed) kills++;
    }
    expect(await readEverything(directory)).toEqual(expected);
    rmSync(directory, { recursive: true });
  }
  expect(kills).toBeGreaterThanOrEqual(50);
  // Else the kills came before anything was trained.
  expect(saved).toBeGreaterThan(50);
});
