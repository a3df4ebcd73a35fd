/**
 * Starts the ranks of a measurement: by mpirun over shared memory or over TCP, as threads, or as a single process
 * without communication.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isCommunicatorError, probeMpi, startThreadRanks } from '@vastmax/collectives';
import { BenchError } from '../measurement/bench-error.ts';
import type { RankReport, RankRequest } from './measure-rank.ts';

export const transports = ['shared-memory', 'tcp', 'threads'] as const;
export type TransportName = (typeof transports)[number];

/** Of Open MPI: which byte transfer layers it may use. UCX, where it is built in, would choose by itself. */
const layers: Readonly<Record<Exclude<TransportName, 'threads'>, string>> = {
  'shared-memory': 'vader,self',
  tcp: 'tcp,self',
};

const worker = new URL('./rank-worker.ts', import.meta.url);
const tsx = (entry: string): string =>
  pathToFileURL(
    createRequire(import.meta.url)
      .resolve(entry)
      .replace(/\.cjs$/, '.mjs'),
  ).href;

/** @throws BenchError `unavailable` with what to install, `failed` with what the ranks wrote. */
export async function measureOver(
  transport: TransportName | 'single',
  ranks: number,
  request: RankRequest,
): Promise<RankReport> {
  if (transport === 'threads') return measureOnThreads(ranks, request);
  const node = [
    process.execPath,
    '--import',
    tsx('tsx/esm'),
    '--conditions=@vastmax/source',
    worker.pathname,
    JSON.stringify(request),
  ];
  if (transport === 'single') return reportOf(await outputOf(node[0] ?? 'node', [...node.slice(1), 'single']));
  await checkMpi();
  const options = [
    '--mca',
    'pml',
    'ob1',
    '--mca',
    'btl',
    layers[transport],
    '--bind-to',
    'none',
    '--oversubscribe',
    '-n',
    String(ranks),
  ];
  return reportOf(
    await outputOf('mpirun', [...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []), ...options, ...node]),
  );
}

async function checkMpi(): Promise<void> {
  const probe = await probeMpi();
  if (!probe.available)
    throw new BenchError(
      'unavailable',
      `distributed: ${probe.reason}; or measure --transports threads, which needs none`,
    );
  if (!probe.detail.startsWith('Open MPI'))
    throw new BenchError(
      'unavailable',
      `distributed: the transports are chosen by options of Open MPI, found ${probe.detail}; install openmpi-bin, or measure --transports threads`,
    );
}

async function measureOnThreads(ranks: number, request: RankRequest): Promise<RankReport> {
  // A thread takes no --import from tsx; this first module of it does the same.
  const bootstrap = `import { register } from ${JSON.stringify(tsx('tsx/esm/api'))}; register(); await import(${JSON.stringify(worker.href)});`;
  try {
    const reports = await startThreadRanks({
      size: ranks,
      module: new URL(`data:text/javascript,${encodeURIComponent(bootstrap)}`),
      data: request,
      timeoutMs: 600_000,
      execArgv: ['--conditions=@vastmax/source'],
    });
    return reports[0] as RankReport;
  } catch (error) {
    if (!isCommunicatorError(error)) throw error;
    throw new BenchError('failed', `distributed: ${error.message}`);
  }
}

function outputOf(command: string, options: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, options, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new BenchError(
              'unavailable',
              `distributed: ${command} is not on the path; Debian: apt-get install openmpi-bin; or measure --transports threads`,
            )
          : error,
      );
    });
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(new BenchError('failed', `distributed: ${command} ended with code ${String(code)}:\n${errors.trim()}`));
    });
  });
}

function reportOf(output: string): RankReport {
  const line = output.trim().split('\n').at(-1) ?? '';
  return JSON.parse(line) as RankReport;
}
