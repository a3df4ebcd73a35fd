/** A file that a command writes: replaced only with --overwrite, and renamed to its final name when it is complete. */
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UsageError } from './errors.ts';

/** @throws UsageError when there is a folder of that name, or a file that must not be replaced. */
export async function checkOutputFile(output: string, overwrite: boolean): Promise<void> {
  const found = await stat(output).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isFile())
    throw new UsageError(`--output ${output} is ${found.isDirectory() ? 'a folder' : 'no regular file'}; give a file`);
  if (!overwrite)
    throw new UsageError(`--output ${output} already exists; replace it with --overwrite, or give another file`);
}

/** @throws UsageError when the system does not allow it, with its reason. */
export async function writeTextFile(path: string, lines: Iterable<string>, signal: AbortSignal): Promise<void> {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    await pipeline(Readable.from(lines), createWriteStream(temporary), { signal });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UsageError(`--output ${path} was not written: ${error.message}`, { cause: error });
  }
}
