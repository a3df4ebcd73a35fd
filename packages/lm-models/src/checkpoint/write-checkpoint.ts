// Writing a checkpoint so that a crash at any moment leaves the old one or the new one whole.
//
// New files get names that no checkpoint has used, beside the files of the old checkpoint; each is flushed to the disk before it gets
// its name. Then checkpoint.json, which alone says what belongs to a checkpoint, is replaced by a rename: the moment of commit. Only
// after that has reached the disk are the old files removed. A fixed name for the weights was rejected: between its rename and that
// of checkpoint.json the directory would hold neither checkpoint.

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JsonObject, ModuleState } from '@vastmax/output-layer';
import { readManifest } from './checkpoint.ts';
import { nextCounter, removeStaleFiles, textFileName, weightsFileName } from './checkpoint-files.ts';
import { CheckpointError, isCheckpointError, isSystemError } from './checkpoint-error.ts';
import { syncDirectory, writeTemporary } from './durable-file.ts';
import type { Append } from './durable-file.ts';
import { encodeManifest, isPlainFileName, MANIFEST_NAME } from './manifest.ts';
import type { FileRecord, Manifest, TextRecord } from './manifest.ts';
import { RandomAccessFile } from './random-access-file.ts';
import { planSafetensors } from './safetensors-layout.ts';
import type { SafetensorsLayout } from './safetensors-layout.ts';
import { appendSafetensors } from './safetensors-writer.ts';
import type { WriteOptions } from './safetensors-writer.ts';

export interface CheckpointContent {
  readonly configuration: JsonObject;
  /** By name. A name has no slash: tensors are stored as `module/tensor`. */
  readonly modules: Readonly<Record<string, ModuleState>>;
  /** By file name, `vocabulary.json` for one. A text that did not change since the last checkpoint is not written again. */
  readonly texts?: Readonly<Record<string, string>>;
}

/**
 * Writes a checkpoint into a directory, which is created and belongs to checkpoints from then on. The checkpoint that was there is
 * replaced at the end, in one step; until then, and whenever anything is thrown, it stays as it was. What a tensor's `read`, a callback
 * or the signal throws is passed on. Writes of one process into one directory take turns; two processes need a directory each.
 *
 * Holds one block of 4 MiB of a tensor, and the texts. Needs disk space for the old and the new checkpoint together.
 * @throws CheckpointError `non-finite` (with module, tensor, row, column), `bad-argument`, `bad-json`, `write-failed` (with the
 *   system's error as cause), `unsupported-version` when a newer version's checkpoint would be lost
 */
export async function writeCheckpoint(directory: string, content: CheckpointContent, options: WriteOptions = {}): Promise<void> {
  checkContent(content);
  options.signal?.throwIfAborted();
  try {
    if ((await mkdir(directory, { recursive: true })) !== undefined) await syncDirectory(dirname(directory));
    const place = await realpath(directory);
    await takeTurns(place, () => new CheckpointWriter(directory, content, options).write());
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CheckpointError('write-failed', `writeCheckpoint: ${directory} was not written: ${error.message}; an earlier checkpoint there is untouched`, { cause: error });
  }
}
