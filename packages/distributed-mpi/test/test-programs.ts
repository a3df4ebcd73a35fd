/**
 * The programs of programs/ as jobs of ranks. Threads and mpirun start plain Node, which reads no TypeScript, so each
 * is bundled from the sources once a test file; the bundle lies in node_modules, where koffi is found from.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { probeMpi, startThreadRanks, type ThreadRanksOptions } from '@vastmax/distributed-mpi';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const bundles = new Map<string, Promise<string>>();
let folder: string | undefined;

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

function bundled(program: string): Promise<string> {
  const known = bundles.get(program);
  if (known !== undefined) return known;
  if (folder === undefined) {
    const cache = join(here, '../node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'test-programs-'));
  }
  const file = join(folder, `${program}.mjs`);
  const made = build({
    entryPoints: [join(here, 'programs', `${program}.ts`)],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@vastmax/source'],
    external: ['koffi'],
    logLevel: 'silent',
  }).then(() => file);
  bundles.set(program, made);
  return made;
}

export async function runOnThreads(
  program: string,
  size: number,
  data?: unknown,
  options: Partial<ThreadRanksOptions> = {},
): Promise<unknown[]> {
  return startThreadRanks({ size, module: pathToFileURL(await bundled(program)), data, timeoutMs: 20_000, ...options });
}

export interface MpiRun {
  /** undefined after a signal. */
  readonly code: number | undefined;
  readonly output: string;
}

export interface Launcher {
  readonly name: string;
  readonly start: (size: number) => readonly [command: string, ...options: string[]];
  /** Why it cannot be used here. */
  readonly missing: string | undefined;
}

const found = await probeMpi();
const isThere = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

export const launchers: readonly Launcher[] = [
  {
    name: 'mpirun of Open MPI',
    start: (size) => ['mpirun', '--allow-run-as-root', '--oversubscribe', '-n', String(size)],
    missing: !found.available
      ? found.reason
      : isThere('mpirun')
        ? undefined
        : 'mpirun is not on the path; Debian: apt-get install openmpi-bin',
  },
  {
    name: 'mpiexec of MPICH',
    start: (size) => ['mpiexec.hydra', '-n', String(size)],
    missing: isThere('mpiexec.hydra') ? undefined : 'mpiexec.hydra is not on the path; Debian: apt-get install mpich',
  },
];

/** As with a backend's conformance: unavailable is not passed, and is a failure where it is required. */
export function requireLauncher({ name, missing }: Launcher, skip: (reason: string) => never): void {
  if (missing === undefined) return;
  if (/\bmpi\b/.test(process.env['REQUIRE_BACKENDS'] ?? '') && name.includes('Open MPI')) {
    throw new Error(`REQUIRE_BACKENDS names mpi, but it is unavailable: ${missing}`);
  }
  skip(`unavailable: ${missing}`);
}

/** The whole job, with what it wrote on both streams. Killed after a minute. */
export async function runUnderMpi(
  launcher: Launcher,
  program: string,
  size: number,
  ...rest: readonly string[]
): Promise<MpiRun> {
  const [command, ...options] = launcher.start(size);
  const file = await bundled(program);
  return new Promise((resolve) => {
    execFile(
      command,
      [...options, process.execPath, file, ...rest],
      { timeout: 60_000, killSignal: 'SIGKILL', env: { ...process.env, NODE_OPTIONS: '' } },
      (error, out, errors) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        resolve({ code, output: out + errors });
      },
    );
  });
}

/** What each rank answers. */
export async function playOnThreads<Answer>(
  name: string,
  size: number,
  request?: unknown,
  options: Partial<ThreadRanksOptions> = {},
): Promise<Answer[]> {
  return (await runOnThreads('thread-scenario', size, { name, request }, options)) as Answer[];
}
