/**
 * Programs of tests as jobs of ranks. Threads and mpirun start plain Node, which reads no TypeScript, so each program
 * is bundled from the sources once a test file; the bundle lies in this package's node_modules, where koffi is found
 * from. Imports no package of the workspace: those whose tests use it would depend on themselves.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

const bundles = new Map<string, Promise<URL>>();
let folder: string | undefined;

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** The program as one JavaScript module, until the tests of this file have ended. */
export function bundleProgram(program: URL): Promise<URL> {
  const known = bundles.get(program.href);
  if (known !== undefined) return known;
  if (folder === undefined) {
    const cache = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'rank-programs-'));
  }
  const file = join(folder, `${basename(program.pathname, '.ts')}-${bundles.size}.mjs`);
  const made = build({
    entryPoints: [fileURLToPath(program)],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@vastmax/source'],
    external: ['koffi'],
    // What the program resolves by itself it finds from where its source lies; CommonJS packages in it need a
    // `require`.
    define: { 'import.meta.url': JSON.stringify(program.href) },
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(${JSON.stringify(program.href)});`,
    },
    logLevel: 'silent',
  }).then(() => pathToFileURL(file));
  bundles.set(program.href, made);
  return made;
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

type ProbeResult = { readonly available: true } | { readonly available: false; readonly reason: string };

/** @param probe what `probeMpi` of `@vastmax/collectives` answers. */
export function findLaunchers(probe: ProbeResult): readonly Launcher[] {
  return [
    {
      name: 'mpirun of Open MPI',
      start: (size) => ['mpirun', '--allow-run-as-root', '--oversubscribe', '-n', String(size)],
      missing: !probe.available
        ? probe.reason
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
}

function isThere(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** As with a backend's conformance: unavailable is not passed, and is a failure where it is required. */
export function requireLauncher({ name, missing }: Launcher, skip: (reason: string) => never): void {
  if (missing === undefined) return;
  if (/\bmpi\b/.test(process.env['REQUIRE_BACKENDS'] ?? '') && name.includes('Open MPI')) {
    throw new Error(`REQUIRE_BACKENDS names mpi, but it is unavailable: ${missing}`);
  }
  skip(`unavailable: ${missing}`);
}

/** The whole job, with what it wrote on both streams. Killed after a quarter of an hour: it hangs. */
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
