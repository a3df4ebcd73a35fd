/** A file that a command writes: replaced only with --overwrite, and renamed to its final name when it is complete. */
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandFailure, UsageError } from './errors.ts';

const temporaryName = (path: string): string => `${path}.${process.pid}.partial`;

/**
 * @throws UsageError when there is a folder of that name or a file that must not be replaced, or none can be written
 * there.
 */
export async function checkOutputFile(output: string, overwrite: boolean): Promise<void> {
  const found = await stat(output).catch(() => undefined);
  if (found === undefined || (found.isFile() && overwrite)) {
    await checkWritable(output);
    return;
  }
  if (!found.isFile())
    throw new UsageError(`--output ${output} is ${found.isDirectory() ? 'a folder' : 'no regular file'}; give a file`);
  throw new UsageError(`--output ${output} already exists; replace it with --overwrite, or give another file`);
}

/** By trying, since permissions do not tell: /proc and mounted disks have rules of their own. */
async function checkWritable(output: string): Promise<void> {
  const temporary = temporaryName(output);
  try {
    await (await open(temporary, 'wx')).close();
    await rm(temporary, { force: true });
  } catch (error) {
    throw new UsageError(
      `--output ${output} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** @throws CommandFailure when the system does not allow it, with its reason. */
export async function writeTextFile(path: string, lines: Iterable<string>, signal: AbortSignal): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await pipeline(Readable.from(lines), createWriteStream(temporary), { signal });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new CommandFailure(`--output ${path} was not written: ${error.message}`, { cause: error });
  }
}
