// The names of the files of a checkpoint, and which files of a directory may go once a new one is committed. Only names
// that this package gives are ever removed: other files in the directory are the user's.

import { readdir, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { temporaryPattern } from './durable-file.ts';
import { fileRecords } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** As weight-shards.ts names them. */
const weightsPattern =
  /^weights-(?<counter>\d{1,15})-[0-9a-f]{8}(?:-\d{5}-of-\d{5}\.safetensors|\.safetensors(?:\.index\.json)?)$/;
const textPattern = /^(?<stem>.+)-[0-9a-f]{16}(?<extension>\.[^.]*)?$/;

/** A text is stored under its name and content, so that an unchanged one is not written again. */
export function textFileName(name: string, sha256: string): string {
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)}-${sha256.slice(0, 16)}${extension}`;
}

/** One more than every checkpoint that was written, or begun, in the directory. */
export function nextCounter(names: readonly string[], previous: Manifest | undefined): number {
  const counters = names.map((name) => Number(weightsPattern.exec(name)?.groups?.counter ?? 0));
  return counters.reduce((a, b) => Math.max(a, b), previous?.counter ?? 0) + 1;
}

/**
 * Removes what earlier checkpoints and dead writers left. What cannot be removed (a file that Windows holds open) is
 * left to the next write: the new checkpoint is complete by now.
 */
export async function removeStaleFiles(
  directory: string,
  current: Manifest,
  previous: Manifest | undefined,
): Promise<void> {
  const kept = new Set(fileRecords(current).map(({ file }) => file));
  const earlier = new Set(previous === undefined ? [] : fileRecords(previous).map(({ file }) => file));
  const textNames = new Set([...current.texts, ...(previous?.texts ?? [])].map(({ name }) => name));
  const isStale = (name: string): boolean => {
    if (kept.has(name)) return false;
    if (earlier.has(name) || weightsPattern.test(name)) return true;
    const pid = temporaryPattern.exec(name)?.groups?.pid;
    if (pid !== undefined) return !isOtherLiveProcess(Number(pid));
    const text = textPattern.exec(name)?.groups;
    return text !== undefined && textNames.has(`${text.stem ?? ''}${text.extension ?? ''}`);
  };
  const names = await readdir(directory).catch((): string[] => []);
  await Promise.all(
    names.filter(isStale).map((name) => rm(join(directory, name), { force: true }).catch(() => undefined)),
  );
}

/** Writes of this process into one directory take turns, so a temporary file of its own is of one that ended. */
function isOtherLiveProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
