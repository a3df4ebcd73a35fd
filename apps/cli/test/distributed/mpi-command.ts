/** The real command as the ranks of an MPI job, from the sources. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { probeMpi } from '@vastmax/collectives';
import { findLaunchers, requireLauncher } from '@vastmax/test-programs';
import { main } from '../vastmax.ts';

const [openMpi] = findLaunchers(await probeMpi());

/** @throws Error when MPI is required but unavailable; otherwise an unavailable one skips the test. */
export function requireMpi(skip: (reason: string) => never): void {
  requireLauncher(openMpi, skip);
}

export interface EndedJob {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningJob {
  readonly ended: Promise<EndedJob>;
  /** Ends one rank without a chance to say anything. */
  kill(rank: number): void;
  interrupt(): void;
}

/** @param args split at spaces. */
export function startJob(size: number, folder: string, args: string): RunningJob {
  const [launcher, ...options] = openMpi.start(size);
  return start(folder, launcher, [...options, process.execPath, main, ...args.split(' ')]);
}

/** A job in which each rank has a command line of its own. */
export function runDifferentRanks(folder: string, args: readonly string[]): Promise<EndedJob> {
  const [launcher, ...options] = openMpi.start(1);
  const programs = args.flatMap((own, rank) => [
    ...(rank === 0 ? options : [':', '-n', '1']),
    process.execPath,
    main,
    ...own.split(' ').filter((arg) => arg !== ''),
  ]);
  return start(folder, launcher, programs).ended;
}

function start(folder: string, launcher: string, args: readonly string[]): RunningJob {
  const child = spawn(launcher, args, {
    cwd: folder,
    env: { ...process.env, COLUMNS: '80', NO_COLOR: '1', NODE_OPTIONS: '' },
  });
  let stdout = '';
  let stderr = '';
  child.stdin.end();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    ended: new Promise((resolveEnd, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        resolveEnd({ code, stdout, stderr });
      });
    }),
    kill: (rank) => {
      process.kill(processOfRank(child.pid ?? 0, rank), 'SIGKILL');
    },
    interrupt: () => {
      child.kill('SIGINT');
    },
  };
}

export function runJob(size: number, folder: string, args: string): Promise<EndedJob> {
  return startJob(size, folder, args).ended;
}

/** The launcher's child that has this rank in its environment. */
function processOfRank(parentOfAll: number, rank: number): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
      if (
        parent === parentOfAll &&
        readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`OMPI_COMM_WORLD_RANK=${rank}`)
      )
        return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no process of launcher ${parentOfAll} is rank ${rank}`);
}
