/**
 * A program of `bench rooms`: in a process of its own, which has run nothing else, it counts the source files of one
 * minibatch or of a command, and sends them to the process that started it.
 */
import { pathToFileURL } from 'node:url';
import { FunctionCoverage } from './function-coverage.ts';
import { createCountedTrainer, type MinibatchName } from './minibatch-trainers.ts';

export interface MinibatchRequest {
  /** Paths; files elsewhere do not count. */
  readonly folders: readonly string[];
  readonly minibatches: readonly MinibatchName[];
  readonly text: readonly string[];
}

export interface ProgramRequest {
  readonly folders: readonly string[];
  /** Evaluated before the count begins. */
  readonly modules: readonly string[];
  readonly program: string;
  readonly args: readonly string[];
}

/** The files of each minibatch, or of the program. */
export type CountResult = readonly (readonly string[])[];

/** Later than the trainer's first report, which comes after 50 steps, and before its second. */
const warmupSteps = 60;
const countedSteps = 11;

if (process.send !== undefined) {
  const request = await new Promise<MinibatchRequest | ProgramRequest>((resolve) => process.once('message', resolve));
  const files: (readonly string[])[] = [];
  if ('program' in request) files.push(await countProgram(request));
  else for (const name of request.minibatches) files.push(await countMinibatch(name, request));
  process.send(files satisfies CountResult);
  process.disconnect();
}

/** Of the median step of several: now and then one does more, such as to rebase its rows. */
async function countMinibatch(name: MinibatchName, { folders, text }: MinibatchRequest): Promise<readonly string[]> {
  using coverage = new FunctionCoverage(folders);
  const steps: string[][] = [];
  let batches = 0;
  const trainer = await createCountedTrainer(name, text, () => {
    batches++;
    if (batches === warmupSteps) coverage.start();
    else if (batches > warmupSteps && steps.length < countedSteps) steps.push(coverage.takeFiles());
  });
  const events = trainer.run()[Symbol.asyncIterator]();
  while (steps.length < countedSteps && (await events.next()).done !== true);
  return steps.sort((a, b) => a.length - b.length)[countedSteps >> 1] ?? [];
}

async function countProgram({ folders, modules, program, args }: ProgramRequest): Promise<readonly string[]> {
  for (const module of modules) await import(pathToFileURL(module).href);
  using coverage = new FunctionCoverage(folders);
  coverage.start();
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
  return coverage.takeFiles();
}
