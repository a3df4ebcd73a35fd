/**
 * `bench rooms`: through how many source files of this project one minibatch goes, and a whole command: what somebody
 * who follows the code has to read.
 */
import { fork } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomGenerator } from '@vastmax/sparse-data';
import { BenchError } from '../measurement/bench-error.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { CountResult, MinibatchRequest, ProgramRequest } from './count-files.ts';
import { minibatchNames, type MinibatchName } from './minibatch-trainers.ts';

export const roomNames = [...minibatchNames, 'train', 'predict'] as const;
export type RoomName = (typeof roomNames)[number];

/** Of each, the files that ran a function, relative to the repository. */
export type RoomsReport = Readonly<Record<RoomName, readonly string[]>>;

const repository = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const counter = fileURLToPath(new URL('./count-files.ts', import.meta.url));

export async function measureRooms(show: ShowStage): Promise<RoomsReport> {
  const folders = await sourceFolders();
  const cli = join(repository, 'apps/cli/src');
  const program = join(cli, 'main.ts');
  const modules = (await readdir(cli, { recursive: true }))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(cli, name))
    .filter((path) => path !== program);
  const folder = await mkdtemp(join(tmpdir(), 'vastmax-rooms-'));
  try {
    const text = createText();
    const textFile = join(folder, 'text.txt');
    await writeFile(textFile, text.join('\n'));
    const model = join(folder, 'model');
    const count = async (request: MinibatchRequest | ProgramRequest): Promise<CountResult> =>
      (await runCounter(request)).map((files) => files.map((path) => relative(repository, path)));
    show('minibatches');
    const minibatches = await count({ folders, minibatches: minibatchNames, text });
    const command = async (name: 'train' | 'predict', args: readonly string[]): Promise<readonly string[]> => {
      show(name);
      const [files = []] = await count({ folders, modules, program, args: [name, ...args, '--backend', 'plain'] });
      return files;
    };
    return {
      ...(Object.fromEntries(minibatchNames.map((name, index) => [name, minibatches[index]])) as Record<
        MinibatchName,
        readonly string[]
      >),
      train: await command('train', [textFile, '--out', model, '--batch', '32', '--examples', '1280']),
      predict: await command('predict', [model, 'w1 w2']),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws BenchError `failed` with what the program wrote. */
export async function runCounter(request: MinibatchRequest | ProgramRequest): Promise<CountResult> {
  const child = fork(counter, {
    execArgv: ['--import', import.meta.resolve('tsx'), '--conditions=@vastmax/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
  let result: CountResult | undefined;
  child.on('message', (message) => {
    result = message as CountResult;
  });
  child.send(request);
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code === 0 && result !== undefined) return result;
  const what = 'program' in request ? request.args.join(' ') : request.minibatches.join(', ');
  throw new BenchError('failed', `rooms: ${what} ended with exit code ${String(code)}: ${written.trim()}`);
}

async function sourceFolders(): Promise<string[]> {
  const packages = await readdir(join(repository, 'packages'));
  return ['apps/cli', ...packages.map((name) => `packages/${name}`)].map((name) => join(repository, name, 'src'));
}

/** 4,000 words of 200, whose frequencies fall as those of words do. */
function createText(): string[] {
  const random = new RandomGenerator(1);
  const word = (): string => `w${Math.floor(200 ** random.uniform())}`;
  return Array.from({ length: 400 }, () => Array.from({ length: 10 }, word).join(' '));
}
