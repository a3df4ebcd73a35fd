/**
 * Where a new model may go, found out before hours of training: a folder that can be written, whose present model may
 * be lost.
 */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isCheckpointError, openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { UsageError } from './usage-error.ts';

export interface ReplacementRule {
  readonly overwrite: boolean;
  /** Whether a model of this configuration may be replaced without --overwrite. */
  readonly mayReplace?: (configuration: JsonObject) => boolean;
  /** What else the person could do, for the message. */
  readonly otherwise: string;
}

/**
 * @throws UsageError when the folder is or lies under a file, or holds a model that is not to be replaced.
 * @throws CheckpointError `unsupported-version` for a checkpoint that this version could not replace.
 */
export async function checkOutputFolder(
  directory: string,
  { overwrite, mayReplace, otherwise }: ReplacementRule,
): Promise<void> {
  await checkWritable(directory);
  let found: string;
  try {
    await using checkpoint = await openCheckpoint(createFileStorage(directory));
    const { configuration } = checkpoint;
    if (overwrite || mayReplace?.(configuration) === true) return;
    found = `a model${typeof configuration['step'] === 'number' ? ` (step ${configuration['step']})` : ''}`;
  } catch (error) {
    if (!isCheckpointError(error) || error.code === 'unsupported-version') throw error;
    if (error.code === 'missing' && !(await exists(`${directory}/checkpoint.json`))) return;
    if (overwrite) return;
    found = `a damaged model (${error.message})`;
  }
  throw new UsageError(`${directory} holds ${found}; replace it with --overwrite, ${otherwise}`);
}

/** The folder, or the nearest that is there above it. Nothing is created. */
async function checkWritable(directory: string): Promise<void> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    try {
      if (!(await stat(path)).isDirectory())
        throw new UsageError(`--out ${directory}: ${path} is a file; give a folder`);
      await access(path, constants.W_OK);
      return;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
      if (!isAbsent || path === dirname(path)) {
        throw new UsageError(`--out ${directory}: ${path} cannot be written (${String(code)}); give another folder`, {
          cause: error,
        });
      }
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
