/**
 * The files of a job's data: in the folder or in the job's subfolder, plain, .br or .gz.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../measurement/bench-error.ts';

/** @throws BenchError `bad-option` when the folder has no such file, with what was looked for. */
export function jobFile(data: string, folder: string, name: string): string {
  const path = findJobFile(data, folder, name);
  if (path !== undefined) return path;
  if (!existsSync(data) || !statSync(data).isDirectory())
    throw new BenchError('bad-option', `--data ${data} is no folder`);
  throw new BenchError('bad-option', `--data ${data} has neither ${folder}/${name} nor ${name}, plain, .br or .gz`);
}

/** Undefined where there is none. */
export function findJobFile(data: string, folder: string, name: string): string | undefined {
  return [join(data, folder, name), join(data, name)]
    .flatMap((path) => [path, `${path}.br`, `${path}.gz`])
    .find((path) => existsSync(path));
}
