/**
 * Training over ranks of which one, or the launcher, is killed again and again at random moments, among them those of
 * writing a checkpoint, ends with the bits of training over as many ranks that was left alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { probeMpi } from '@vastmax/collectives';
import { bundleProgram, findLaunchers, isRunning, requireLauncher } from '@vastmax/test-programs';
import { afterAll, expect, it } from 'vitest';
import { readEverything } from '@vastmax/checkpoints/testing';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-killed-ranks-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const [launcher] = findLaunchers(await probeMpi());
const pids = join(folder, 'pids');

interface Life {
  readonly killed: boolean;
  /** Checkpoints that it said were done. */
  readonly saved: number;
}

/**
 * One job, up to the end of its last rank.
 * @param victim a rank, or the launcher: killed at a random moment after the first checkpoint, if the job lives so long.
 */
async function live(size: number, directory: string, victim?: number | 'launcher'): Promise<Life> {
  rmSync(pids, { recursive: true, force: true });
  mkdirSync(pids);
  const program = fileURLToPath(await bundleProgram(new URL('programs/train-ranks-until-killed.ts', import.meta.url)));
  const [command = '', ...options] = launcher?.start(size) ?? [];
  const child = spawn(command, [...options, process.execPath, program, directory, pids], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const closed = once(child, 'close');
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints += String(text);
  });
  const pidOf = (rank: number): number => Number(readFileSync(join(pids, `rank-${rank}`), 'utf8'));
  let killed = false;
  const kill = (): void => {
    const pid = victim === 'launcher' ? child.pid : victim === undefined ? undefined : pidOf(victim);
    if (pid === undefined || !isRunning(pid)) return;
    process.kill(pid, 'SIGKILL');
    killed = true;
  };
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length === 1) setTimeout(kill, Math.random() * 150);
  }
  await closed;
  const running = (): boolean =>
    Array.from({ length: size }, (_, rank) => rank).some(
      (rank) => existsSync(join(pids, `rank-${rank}`)) && isRunning(pidOf(rank)),
    );
  while (running()) await pause(10);
  // One that was killed after the last line is not held against it.
  const isDone = said.at(-1) === 'done';
  expect(isDone || killed, complaints).toBe(true);
  if (!killed) expect({ complaints, code: child.exitCode }).toEqual({ complaints: '', code: 0 });
  return { killed: killed && !isDone, saved: said.filter((line) => line === 'saved').length };
}

it.for([2, 3])(
  '%i ranks, each of which is killed twice, as the launcher is, end with the bits of ranks that were left alone',
  async (size, { skip }) => {
    if (launcher === undefined) throw new Error('there must be a launcher');
    requireLauncher(launcher, (reason) => skip(reason));
    const alone = join(folder, `alone-${size}`);
    expect(await live(size, alone)).toMatchObject({ killed: false });
    const expected = await readEverything(alone);
    expect(expected).toMatchObject({ configuration: { step: 2000, examples: 16_000 } });

    const victims = [...Array.from({ length: size }, (_, rank) => rank), 'launcher' as const];
    const wanted = 2 * victims.length;
    let kills = 0;
    let saved = 0;
    // A run that ends before its last kill is compared, and another is begun.
    for (let run = 0; kills < wanted; run++) {
      const directory = join(folder, `run-${size}-${run}`);
      for (let life: Life = { killed: true, saved: 0 }; life.killed;) {
        life = await live(size, directory, kills < wanted ? victims[kills % victims.length] : undefined);
        saved += life.saved;
        if (life.killed) kills++;
      }
      expect(await readEverything(directory)).toEqual(expected);
      rmSync(directory, { recursive: true });
    }
    // Else the kills came before anything was trained.
    expect(saved).toBeGreaterThan(wanted);
  },
);
