/** The last checkpoint of a run: without it the run is lost, so saving is tried until it succeeds or the user gives up. */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isCheckpointError } from '@vastmax/checkpoints';
import { gatherJson, type Communicator } from '@vastmax/collectives';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { bytes, warn } from '../terminal/terminal.ts';

const pauseMs = 2000;

export interface LastSave {
  readonly directory: string;
  /** Of the checkpoint. */
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly communicator?: Communicator | undefined;
}

/**
 * @param save on all ranks; it fails on all or on none.
 * @throws the error of `save` when it is not about the disk, or the user gives up.
 */
export async function saveUntilDone(save: () => Promise<void>, last: LastSave): Promise<void> {
  // A signal that ended the training asked for this save; the next one ends the process.
  const wasInterrupted = last.signal.aborted;
  let told = '';
  for (;;) {
    try {
      await save();
      return;
    } catch (error) {
      if (!isLostCheckpoint(error)) throw error;
      if (error.message !== told) await warnOfUnsaved((told = error.message), last, wasInterrupted);
      await sleep(pauseMs, undefined, wasInterrupted ? {} : { signal: last.signal }).catch(() => undefined);
      const gaveUp = !wasInterrupted && last.signal.aborted;
      if (last.communicator === undefined ? gaveUp : gatherJson<boolean>(last.communicator, gaveUp).includes(true))
        throw error;
    }
  }
}

/** Whether a checkpoint was not written because of the disk or of another run, which may change. */
export function isLostCheckpoint(error: unknown): error is Error {
  return isCheckpointError(error) && (error.code === 'write-failed' || error.code === 'locked');
}

async function warnOfUnsaved(problem: string, last: LastSave, wasInterrupted: boolean): Promise<void> {
  const free = await freeBytes(last.directory);
  warn(
    `the end of the run is not saved (${problem}); ${last.directory} needs ${bytes(last.bytes)}${free === undefined ? '' : `, and ${bytes(free)} of its disk are free`}; trying again until it is saved, Ctrl-C${wasInterrupted ? ' again' : ''} gives it up`,
  );
}

/** Of the folder's disk, or of the nearest folder above that exists. */
async function freeBytes(directory: string): Promise<number | undefined> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    const system = await statfs(path).catch(() => undefined);
    if (system !== undefined) return system.bavail * system.bsize;
    if (path === dirname(path)) return undefined;
  }
}

/** Size of a checkpoint's tensors, which are nearly all of it. */
export function tensorBytes(modules: Readonly<Record<string, ModuleState>>): number {
  return Object.values(modules)
    .flatMap((module) => module.tensors)
    .reduce((sum, { rows, columns, precision }) => sum + rows * columns * (precision === 'f64' ? 8 : 4), 0);
}
