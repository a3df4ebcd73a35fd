import type { Command } from 'commander';
import { probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import {
  addThreadsOption,
  cpuBackends,
  gpuBackend,
  threadsOf,
  type BackendOptions,
  type Candidate,
} from '../options/backend-choice.ts';
import { measureBackend, type BackendSpeed } from '../options/backend-speed.ts';
import { table } from '../terminal/terminal.ts';

type ListedBackend =
  | { readonly name: string; readonly available: true; readonly detail: string; readonly speed?: BackendSpeed }
  | { readonly name: string; readonly available: false; readonly reason: string };

export function addBackendsCommand(program: Command): void {
  addThreadsOption(
    program
      .command('backends')
      .description('which compute backends run here, how fast, and why others do not; takes some seconds'),
  )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax backends --threads 1
  $ vastmax train text.txt -o model --backend webgpu

A GPU is used through WebGPU, for which Node needs the package webgpu:
  $ npm install --global @vastmax/cli webgpu

A trial step is eight products of 128×256 by 256×256 and sixteen elementwise
operations, recorded one after the other. --backend auto takes the first of
openblas, wasm and plain that runs; for training it takes webgpu instead where
there is a GPU, not one in software, that makes a trial step faster.`,
    )
    .action(listBackends);
}

async function listBackends(options: Pick<BackendOptions, 'threads'> & { readonly json?: true }): Promise<void> {
  const backends: ListedBackend[] = [];
  for (const candidate of [...cpuBackends, gpuBackend]) backends.push(await measured(candidate, options));
  const auto = backends.find(({ available }) => available)?.name;
  const training = fasterForTraining(backends);
  const hasGpu = backends.some(({ name, available }) => name === gpuBackend.name && available);
  const adapters = hasGpu ? await adapterNames() : [];
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ backends, adapters, auto, autoForTraining: training ?? auto })}\n`);
    return;
  }
  const rows = backends.flatMap((backend) =>
    backend.available && backend.speed !== undefined ? [speedCells({ ...backend, speed: backend.speed })] : [],
  );
  process.stdout.write(`${table([['', '512³ product', 'copy', 'trial step'], ...rows])}\n\n`);
  for (const backend of backends)
    process.stdout.write(
      `${backend.name.padEnd(12)} ${backend.available ? backend.detail : `does not run here: ${backend.reason}`}\n`,
    );
  for (const adapter of adapters.length > 1 ? adapters : [])
    process.stdout.write(`${'adapter'.padEnd(12)} ${adapter}\n`);
  process.stdout.write(`${'auto'.padEnd(12)} ${auto}${training === undefined ? '' : `, for training ${training}`}\n`);
}

async function measured(candidate: Candidate, options: Pick<BackendOptions, 'threads'>): Promise<ListedBackend> {
  const { name } = candidate;
  const probe = await candidate.probe('f32');
  if (!probe.available) return { name, available: false, reason: probe.reason };
  // A GPU in software takes a minute, and its speed helps nobody.
  if ('software' in probe && probe.software) return { name, available: true, detail: `${probe.detail}; not measured` };
  const backend = await candidate.create('f32', threadsOf(options));
  try {
    return { name, available: true, detail: `${backend.name} (${probe.detail})`, speed: await measureBackend(backend) };
  } finally {
    await backend.dispose();
  }
}

/** The GPU, where it is measured and faster than the first of the others. */
function fasterForTraining(backends: readonly ListedBackend[]): string | undefined {
  const speedOf = (backend: ListedBackend | undefined): number =>
    backend?.available === true ? (backend.speed?.stepMs ?? Infinity) : Infinity;
  const onCpu = backends.find(({ available }) => available);
  const gpu = backends.find(({ name }) => name === gpuBackend.name);
  return speedOf(gpu) < speedOf(onCpu) ? gpu?.name : undefined;
}

/** WebGPU tells of two adapters at most: the one for speed and the one that saves power. */
async function adapterNames(): Promise<string[]> {
  const names = new Set<string>();
  for (const powerPreference of ['high-performance', 'low-power'] as const) {
    const probe = await probeWebGpuBackend({ powerPreference });
    if (probe.available) names.add(probe.detail);
  }
  return [...names];
}

function speedCells({ name, speed }: { readonly name: string; readonly speed: BackendSpeed }): string[] {
  const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  return [
    name,
    `${number(speed.gemmGflops)} GFLOP/s`,
    `${number(speed.copyGigabytesPerSecond)} GB/s`,
    `${number(speed.stepMs)} ms`,
  ];
}
