import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, isCheckpointError, isSystemError } from './checkpoint-error.ts';
import { MAXIMUM_JSON_BYTES } from './json-limits.ts';
import { MANIFEST_NAME } from './manifest.ts';
import { RandomAccessFile } from './random-access-file.ts';

/**
 * checkpoint.json of a directory, as it is.
 * @throws CheckpointError `missing`, saying what was found instead; `read-failed`; `corrupted` when it is larger than
 * 16 MiB
 */
export async function readManifestBytes(directory: string): Promise<Buffer> {
  try {
    return await readWhole(join(directory, MANIFEST_NAME));
  } catch (error) {
    throw isCheckpointError(error) && error.code === 'missing' ? await describeMissing(directory, error) : error;
  }
}

async function readWhole(path: string): Promise<Buffer> {
  const file = await RandomAccessFile.open(path);
  try {
    if (file.bytes > MAXIMUM_JSON_BYTES)
      throw new CheckpointError(
        'corrupted',
        `checkpoint: ${path} has ${file.bytes} bytes; at most ${MAXIMUM_JSON_BYTES} make sense`,
      );
    const bytes = Buffer.alloc(file.bytes);
    await file.read(bytes, 0);
    return bytes;
  } finally {
    await file.close();
  }
}

async function describeMissing(directory: string, cause: CheckpointError): Promise<CheckpointError> {
  try {
    const names = (await readdir(directory)).sort();
    const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
    const found = names.length === 0 ? 'it is empty' : `it holds ${names.slice(0, 5).join(', ')}${more}`;
    return new CheckpointError(
      'missing',
      `openCheckpoint: there is no ${MANIFEST_NAME} in ${directory}: ${found}; no checkpoint was completed there`,
      { cause },
    );
  } catch (error) {
    const isFile = isSystemError(error) && error.code === 'ENOTDIR';
    const problem = isFile ? `${directory} is not a directory` : `there is no directory ${directory}`;
    return new CheckpointError(
      'missing',
      `openCheckpoint: ${problem}; give the directory that a checkpoint was written to`,
      { cause },
    );
  }
}
