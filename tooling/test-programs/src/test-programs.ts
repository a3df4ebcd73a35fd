/**
 * Programs that tests start: as processes, as threads, or as the ranks of an MPI job. All of these are plain Node,
 * which cannot read TypeScript, so each program is bundled from the sources once per test process; it then starts ten
 * times as fast as through tsx. The bundle is in a folder that program-folder.ts makes for the whole run, since a test
 * process may run many files, and is killed at its end. This package imports no package of the workspace; otherwise
 * packages whose tests use it would depend on themselves.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { inject } from 'vitest';

const bundles = new Map<string, Promise<URL>>();
let folder: string | undefined;

/** The program as one JavaScript module, which exists until the run ends. */
export function bundleProgram(program: URL): Promise<URL> {
  const existing = bundles.get(program.href);
  if (existing !== undefined) return existing;
  folder ??= mkdtempSync(join(inject('programFolder'), 'process-'));
  const file = join(folder, `${basename(program.pathname, '.ts')}-${bundles.size}.mjs`);
  const bundle = build({
    entryPoints: [fileURLToPath(program)],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@vastmax/source'],
    // Loaded by Node where it is needed: a native addon, and a bundler that only one bench runs.
    external: ['koffi', 'vite'],
    // Paths that the program resolves at run time are relative to its source file; bundled CommonJS packages need a
    // `require`.
    define: { 'import.meta.url': JSON.stringify(program.href) },
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(${JSON.stringify(program.href)});`,
    },
    // A program of half the size starts in two thirds of the time. Names stay, since messages have them.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'silent',
  }).then(() => pathToFileURL(file));
  bundles.set(program.href, bundle);
  return bundle;
}

export interface MpiRun {
  /** The exit code; undefined after a signal. */
  readonly code: number | undefined;
  readonly output: string;
}

export interface Launcher {
  readonly name: string;
  readonly start: (size: number) => readonly [command: string, ...options: string[]];
  /** The reason why it cannot be used on this machine, or undefined. */
  readonly missing: string | undefined;
}

type ProbeResult = { readonly available: true } | { readonly available: false; readonly reason: string };

/** @param probe the result of `probeMpi` of `@vastmax/collectives`. */
export function findLaunchers(probe: ProbeResult): readonly [openMpi: Launcher, mpich: Launcher] {
  return [
    {
      name: 'mpirun of Open MPI',
      start: (size) => ['mpirun', '--allow-run-as-root', '--oversubscribe', '-n', String(size)],
      missing: !probe.available
        ? probe.reason
        : isInstalled('mpirun')
          ? undefined
          : 'mpirun is not on the path; Debian: apt-get install openmpi-bin',
    },
    {
      name: 'mpiexec of MPICH',
      start: (size) => ['mpiexec.hydra', '-n', String(size)],
      missing: isInstalled('mpiexec.hydra')
        ? undefined
        : 'mpiexec.hydra is not on the path; Debian: apt-get install mpich',
    },
  ];
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * As in the conformance tests of a backend: unavailable does not count as passed, and is a failure if MPI is required.
 */
export function requireLauncher({ name, missing }: Launcher, skip: (reason: string) => never): void {
  if (missing === undefined) return;
  if (/\bmpi\b/.test(process.env['REQUIRE_BACKENDS'] ?? '') && name.includes('Open MPI')) {
    throw new Error(`REQUIRE_BACKENDS names mpi, but it is unavailable: ${missing}`);
  }
  skip(`unavailable: ${missing}`);
}

/** Runs a whole job; the output contains both streams. It is killed after 15 minutes, because it then hangs. */
export async function runUnderMpi(
  launcher: Launcher,
  program: URL,
  size: number,
  ...rest: readonly string[]
): Promise<MpiRun> {
  const [command, ...options] = launcher.start(size);
  const file = fileURLToPath(await bundleProgram(program));
  return new Promise((resolve) => {
    execFile(
      command,
      [...options, process.execPath, file, ...rest],
      { timeout: 900_000, killSignal: 'SIGKILL', env: { ...process.env, NODE_OPTIONS: '' } },
      (error, out, errors) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        resolve({ code, output: out + errors });
      },
    );
  });
}

/** Whether a process exists and has not ended; one that has ended and that nobody has waited for is a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
