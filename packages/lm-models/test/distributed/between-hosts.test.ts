/**
 * Training over ranks of which each is on a host of its own, with a network that fails between them. The hosts are
 * network namespaces of this machine.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { probeMpi } from '@vastmax/collectives';
import { readEverything } from '@vastmax/checkpoints/testing';
import { findMissing, TestHosts } from '@vastmax/test-hosts';
import { bundleProgram, findLaunchers, requireLauncher } from '@vastmax/test-programs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-between-hosts-'));
const [openMpi] = findLaunchers(await probeMpi());
const missing = openMpi.missing === undefined ? findMissing() : undefined;
const program = fileURLToPath(await bundleProgram(new URL('programs/train-ranks-until-killed.ts', import.meta.url)));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface EndedJob {
  readonly code: number | null;
  readonly saved: number;
  readonly isDone: boolean;
  readonly complaints: string;
}

/** @param afterFirstSave called once, when the job has saved its first checkpoint. */
async function train(
  launcher: readonly [command: string, ...options: string[]],
  directory: string,
  { timeoutMs, afterFirstSave }: { readonly timeoutMs?: number; readonly afterFirstSave?: () => void } = {},
): Promise<EndedJob> {
  const [command, ...options] = launcher;
  const pids = `${directory}-pids`;
  mkdirSync(pids, { recursive: true });
  const rest = timeoutMs === undefined ? [] : [String(timeoutMs)];
  const child = spawn(command, [...options, process.execPath, program, directory, pids, ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints += String(text);
    // Open MPI's launcher then waits for the daemon of the lost host, for as long as TCP does: 15 minutes.
    if (complaints.includes('MPI_ABORT was invoked')) setTimeout(() => child.kill('SIGKILL'), 2000);
  });
  let saved = 0;
  let isDone = false;
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'saved' && ++saved === 1) afterFirstSave?.();
    isDone ||= line === 'done';
  });
  const code = await ended;
  return { code, saved, isDone, complaints };
}

describe('three hosts', () => {
  let expected: unknown;

  beforeAll(async () => {
    if (missing !== undefined || openMpi.missing !== undefined) return;
    const alone = join(folder, 'alone');
    expect(await train(openMpi.start(3), alone)).toMatchObject({ isDone: true, complaints: '' });
    expected = await readEverything(alone);
  });

  function requireHosts(skip: (reason: string) => never): void {
    requireLauncher(openMpi, skip);
    if (missing !== undefined) skip(missing);
  }

  it.concurrent('end with the bits of three ranks on one host, over a slow link too', async ({ skip, expect }) => {
    requireHosts((reason) => skip(reason));
    using hosts = new TestHosts(3);
    expect(hosts.shape(2, 'tbf rate 20mbit burst 32kb latency 1s')).toBe(true);
    const directory = join(folder, 'slow');
    expect(await train(hosts.mpirun(0, 1, 2), directory)).toMatchObject({ isDone: true, complaints: '' });
    expect(await readEverything(directory)).toEqual(expected);
  });

  it.concurrent('go on when a host was out of reach for 20 seconds', async ({ skip, expect }) => {
    requireHosts((reason) => skip(reason));
    using hosts = new TestHosts(3);
    const directory = join(folder, 'partition');
    const afterFirstSave = (): void => {
      hosts.unplug(2);
      void pause(20_000).then(() => {
        hosts.plugIn(2);
      });
    };
    expect(await train(hosts.mpirun(0, 1, 2), directory, { afterFirstSave })).toMatchObject({
      isDone: true,
      complaints: '',
    });
    expect(await readEverything(directory)).toEqual(expected);
  });

  it.concurrent(
    'name the rank that is lost, and those left go on from the last checkpoint',
    async ({ skip, expect }) => {
      requireHosts((reason) => skip(reason));
      using hosts = new TestHosts(3);
      const directory = join(folder, 'lost');
      const lost = await train(hosts.mpirun(0, 1, 2), directory, {
        timeoutMs: 20_000,
        afterFirstSave: () => {
          hosts.unplug(2);
        },
      });
      expect(lost.isDone).toBe(false);
      expect(lost.complaints).toMatch(
        /vastmax: rank 0 of 3 ends the job: rank 2 did not reach \w+ \(call \d+\) within 20 s/,
      );
      const rest = await train(hosts.mpirun(0, 1), directory);
      expect(rest).toMatchObject({ isDone: true, complaints: '' });
    },
  );
});
